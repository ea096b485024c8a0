import { Check, Clock, MessagesSquare, X } from "lucide-react";
import { useId, useState } from "react";
import { Link } from "react-router";

import { useCommand } from "../../api/commands";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { TextField } from "../../ui/fields";
import { Moment } from "../../ui/Moment";
import { toast } from "../../ui/toasts";
import styles from "./approvals.module.css";
import { type ApprovalItemFragment, ApprovalsDecideDocument } from "./documents.generated";
import { readInbox } from "./inbox";
import { pretty, remaining } from "./inputs";
import { Item } from "./Items";

/** Somebody else was faster, the time is over, or it was called off: no fault of whoever decides. */
const TOO_LATE = ["ALREADY_DECIDED", "VERSION_CONFLICT", "INVALID_TRANSITION"];

const SOON_MS = 5 * 60_000;

/** As the server has it. */
const LONGEST_COMMENT = 4_000;

/** Characters of arguments that are shown before somebody asks for all. */
const SHOWN = 2_000;

/** A call of a tool that a person is to approve. */
export function ToolApproval({ execution, now }: { execution: ApprovalItemFragment; now: number }) {
  const { id, toolName, agentId, createdAt, approvalExpiresAt, session } = execution;
  const heading = useId();
  const [comment, setComment] = useState("");
  const { send, sending } = useCommand(ApprovalsDecideDocument);
  const left = approvalExpiresAt && remaining(approvalExpiresAt, now);
  const isOver = approvalExpiresAt !== null && left === null;
  const isSoon = approvalExpiresAt !== null && Date.parse(approvalExpiresAt) - now < SOON_MS;

  const decide = async (approve: boolean) => {
    if (sending || isOver) {
      return;
    }
    const input = { toolExecutionId: id, approve, comment: comment.trim() || null, clientKey: crypto.randomUUID() };
    const answer = await send({ input }, TOO_LATE);
    if (answer?.error) {
      const by = answer.toolExecution?.approvedBy;
      toast.note(
        by
          ? `${by} has already ${answer.toolExecution?.approved ? "approved" : "rejected"} ${toolName}.`
          : `${toolName} no longer awaits approval.`,
      );
    }
    void readInbox();
  };

  return (
    <Item labelledBy={heading} onApprove={() => void decide(true)} onReject={() => void decide(false)}>
      <header className={styles.header}>
        <h2 id={heading} className={styles.tool}>
          {toolName}
        </h2>
        {left && (
          <Badge tone={isSoon ? "warning" : "neutral"}>
            <Clock size={12} aria-hidden />
            expires in {left}
          </Badge>
        )}
        {isOver && <Badge tone="danger">expired</Badge>}
      </header>
      <p className={styles.facts}>
        {session && (
          <Link to={`/chat/${session.id}`} className={styles.link}>
            <MessagesSquare size={14} aria-hidden />
            {session.title}
          </Link>
        )}
        {agentId && <span>by {agentId}</span>}
        <span>
          asked <Moment at={createdAt} />
        </span>
      </p>
      <Arguments text={execution.input} tool={toolName} />
      <div className={styles.decision}>
        <TextField
          label={`Comment on ${toolName}`}
          hideLabel
          placeholder="Comment (optional)"
          value={comment}
          onChange={setComment}
          maxLength={LONGEST_COMMENT}
          isDisabled={isOver}
        />
        <Button kind="primary" isDisabled={sending || isOver} onPress={() => void decide(true)}>
          <Check size={16} aria-hidden />
          Approve
        </Button>
        <Button isDisabled={sending || isOver} onPress={() => void decide(false)}>
          <X size={16} aria-hidden />
          Reject
        </Button>
      </div>
    </Item>
  );
}

function Arguments({ text, tool }: { text: string; tool: string }) {
  const [isWhole, setWhole] = useState(false);
  const shown = pretty(text);
  const isLong = shown.length > SHOWN;
  return (
    <>
      {/* Scrolled by keys as well. */}
      <pre className={styles.input} tabIndex={0} role="region" aria-label={`Arguments of ${tool}`}>
        {isLong && !isWhole ? `${shown.slice(0, SHOWN)}…` : shown}
      </pre>
      {isLong && (
        <Button kind="quiet" onPress={() => setWhole(!isWhole)}>
          {isWhole ? "Show less" : `Show all ${shown.length.toLocaleString("en")} characters`}
        </Button>
      )}
    </>
  );
}
