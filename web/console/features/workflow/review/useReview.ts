import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { toast } from "../../../ui/toasts";
import { type ReviewDecisionKind, type ReviewStatus, WorkflowDecideDocument } from "../stage/documents.generated";

export interface Reviewing {
  status: ReviewStatus;
  feedback: string;
  setFeedback: (feedback: string) => void;
  /** Whether there are words, without which nothing is rejected. */
  said: boolean;
  sending: boolean;
  /** The model of another attempt; without one it is made by the same. */
  decide: (decision: ReviewDecisionKind, model?: string) => Promise<void>;
}

/** Deciding about an attempt; `status` is what its review says now, since a decision may be taken back. */
export function useReview(reviewId: string, status: ReviewStatus, onDecided: () => void): Reviewing {
  const [feedback, setFeedback] = useState("");
  const { send, sending } = useCommand(WorkflowDecideDocument);
  const said = feedback.trim();

  const decide = async (decision: ReviewDecisionKind, model?: string) => {
    if (sending) {
      return;
    }
    const input = {
      reviewId,
      decision,
      feedback: said || null,
      expectedStatus: status,
      model: model ?? null,
      clientKey: crypto.randomUUID(),
    };
    // Of two reviewers the second is told, and sees what the first decided.
    const answer = await send({ input }, ["ALREADY_DECIDED"]);
    if (answer?.error) {
      const by = answer.review?.decidedBy;
      toast.note(by ? `${by} has already ${WORDS[answer.review?.status ?? status]} it.` : answer.error.message);
    }
    if (answer) {
      setFeedback("");
      onDecided();
    }
  };
  return { status, feedback, setFeedback, said: said !== "", sending, decide };
}

const WORDS: Record<ReviewStatus, string> = { PENDING: "reviewed", APPROVED: "approved", REJECTED: "rejected" };
