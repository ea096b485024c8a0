import { useQuery } from "@apollo/client/react";
import { ChevronDown, ChevronRight, KanbanSquare } from "lucide-react";
import { useId, useRef, useState } from "react";
import { Link } from "react-router";

import { Button } from "../../ui/Button";
import { Markdown } from "../../ui/markdown/Markdown";
import { Moment } from "../../ui/Moment";
import { Failure, Loading } from "../../ui/states";
import { ReviewForm } from "../workflow/review/ReviewForm";
import { useReview } from "../workflow/review/useReview";
import { STAGE_NAMES } from "../workflow/words";
import styles from "./approvals.module.css";
import { type ApprovalReviewFragment, ApprovalsDocumentDocument } from "./documents.generated";
import { readInbox } from "./inbox";
import { Item } from "./Items";

/** An attempt at a stage that a reviewer is to decide about. */
export function ReviewItem({ review, mayReview }: { review: ApprovalReviewFragment; mayReview: boolean }) {
  const { id, pipelineStage, serviceName, createdAt, stage, project, status } = review;
  const heading = useId();
  const form = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const reviewing = useReview(id, status, () => void readInbox());
  const story = stage?.__typename === "PromptGeneration" ? stage.story?.title : null;
  const subject = `${STAGE_NAMES[pipelineStage]}${story ? `: ${story}` : ""}`;
  const reject = () => {
    if (reviewing.said) {
      void reviewing.decide("REQUEST_CHANGES");
    } else {
      form.current?.querySelector("textarea")?.focus();
    }
  };

  return (
    <Item
      labelledBy={heading}
      {...(mayReview && { onApprove: () => void reviewing.decide("APPROVE"), onReject: reject })}
    >
      <header className={styles.header}>
        <h2 id={heading}>
          {project?.name} · {subject}
        </h2>
        <span className={styles.attempt}>attempt {stage?.attempt}</span>
      </header>
      <p className={styles.facts}>
        {project && stage && (
          <Link to={`/workflow/${project.id}?stage=${pipelineStage}&attempt=${stage.id}`} className={styles.link}>
            <KanbanSquare size={14} aria-hidden />
            Open in the project
          </Link>
        )}
        <span>by {serviceName}</span>
        <span>
          there <Moment at={createdAt} />
        </span>
      </p>
      <Button kind="quiet" aria-expanded={isOpen} onPress={() => setOpen(!isOpen)}>
        {isOpen ? <ChevronDown size={16} aria-hidden /> : <ChevronRight size={16} aria-hidden />}
        {isOpen ? "Hide the document" : "Read the document"}
      </Button>
      {isOpen && <Document reviewId={id} subject={subject} />}
      {mayReview ? (
        <div ref={form}>
          <ReviewForm reviewing={reviewing} subject={subject} />
        </div>
      ) : (
        <p className={styles.facts}>Somebody with the role of a reviewer decides about it.</p>
      )}
    </Item>
  );
}

function Document({ reviewId, subject }: { reviewId: string; subject: string }) {
  const { data, error, refetch } = useQuery(ApprovalsDocumentDocument, { variables: { reviewId } });
  if (error) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Loading label="Loading the document" />;
  }
  return (
    <div className={styles.document} tabIndex={0} role="region" aria-label={`Document: ${subject}`}>
      <Markdown text={data.review?.content ?? ""} />
    </div>
  );
}
