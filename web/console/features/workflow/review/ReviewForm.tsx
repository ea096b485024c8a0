import { Check, RotateCcw, X } from "lucide-react";
import { useState } from "react";

import { Button } from "../../../ui/Button";
import { type Choice, Select, TextField } from "../../../ui/fields";
import styles from "./ReviewForm.module.css";
import type { Reviewing } from "./useReview";

/** As the server has it. */
const LONGEST_FEEDBACK = 20_000;

const SAME = "";

export interface ReviewFormProps {
  reviewing: Reviewing;
  /** What it is about, for those who hear it. */
  subject: string;
  /** Models for another attempt, where one may be chosen. */
  models?: readonly Choice<string>[];
}

/** Decide about an attempt: it is good, or it is to be otherwise, which takes words. */
export function ReviewForm({ reviewing, subject, models = [] }: ReviewFormProps) {
  const { status, feedback, setFeedback, said, sending, decide } = reviewing;
  const [model, setModel] = useState(SAME);
  const mayReject = status !== "REJECTED";
  return (
    <div className={styles.form}>
      {mayReject && (
        <TextField
          label={`Feedback on ${subject}`}
          hideLabel
          rows={2}
          placeholder={
            status === "APPROVED"
              ? "What is wrong after all? What is built on it becomes stale."
              : "What is to be better?"
          }
          value={feedback}
          onChange={setFeedback}
          maxLength={LONGEST_FEEDBACK}
        />
      )}
      <div className={styles.decisions}>
        {status !== "APPROVED" && (
          <Button kind="primary" isDisabled={sending} onPress={() => void decide("APPROVE")}>
            <Check size={16} aria-hidden />
            {status === "REJECTED" ? "Approve after all" : "Approve"}
          </Button>
        )}
        {mayReject && (
          <>
            <Button
              isDisabled={sending || !said}
              onPress={() => void decide("REQUEST_CHANGES", model === SAME ? undefined : model)}
            >
              <RotateCcw size={16} aria-hidden />
              Request changes
            </Button>
            <Button isDisabled={sending || !said} onPress={() => void decide("REJECT")}>
              <X size={16} aria-hidden />
              Reject
            </Button>
            {models.length > 0 && (
              <div className={styles.model}>
                <Select
                  label="Model of the next attempt"
                  hideLabel
                  choices={[{ value: SAME, label: "Next attempt by the same model" }, ...models]}
                  value={model}
                  onChange={setModel}
                />
              </div>
            )}
          </>
        )}
      </div>
      {mayReject && !said && (
        <p className={styles.help}>
          To request changes, which has another attempt made, or to reject, say what is wrong.
        </p>
      )}
    </div>
  );
}
