import { useQuery } from "@apollo/client/react";
import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import { TextField } from "../../../ui/fields";
import { Moment } from "../../../ui/Moment";
import { toast } from "../../../ui/toasts";
import styles from "./parts.module.css";
import { DecideToolCallDocument, type ToolExecutionPartsFragment, ToolExecutionInputDocument } from "./parts.generated";
import { Value } from "./Value";

/** Somebody else was faster, or nobody was in time: no fault of the person who is told. */
const SETTLED = ["ALREADY_DECIDED", "VERSION_CONFLICT", "INVALID_TRANSITION"];

export interface ApprovalProps {
  execution: ToolExecutionPartsFragment;
  /** The arguments, as they are shown already. */
  shown: string;
}

/** Asks a person whether a tool may be executed, with what it would be given. */
export function Approval({ execution, shown }: ApprovalProps) {
  const [comment, setComment] = useState("");
  const { data } = useQuery(ToolExecutionInputDocument, { variables: { id: execution.id } });
  const { send, sending } = useCommand(DecideToolCallDocument);
  const input = data?.toolExecution?.input;

  const decide = async (approve: boolean): Promise<void> => {
    const input = {
      toolExecutionId: execution.id,
      approve,
      comment: comment.trim() || null,
      clientKey: crypto.randomUUID(),
    };
    const decided = await send({ input }, SETTLED);
    if (decided && !decided.success) {
      toast.note(settled(decided.toolExecution));
    }
  };

  return (
    <div className={styles.approval} role="group" aria-label="Approval">
      {input !== undefined && input !== shown && <Value text={input} label="What the tool will be given" />}
      {execution.approvalExpiresAt && (
        <p className={styles.muted}>
          It can be decided until <Moment at={execution.approvalExpiresAt} />.
        </p>
      )}
      <TextField label="Comment" help="Optional; kept with the decision." value={comment} onChange={setComment} />
      <div className={styles.buttons}>
        <Button kind="primary" isDisabled={sending || input === undefined} onPress={() => void decide(true)}>
          Approve
        </Button>
        <Button kind="danger" isDisabled={sending} onPress={() => void decide(false)}>
          Reject
        </Button>
      </div>
    </div>
  );
}

function settled(execution: ToolExecutionPartsFragment | null): string {
  if (execution?.approvedBy == null) {
    return "This could be decided no more: it was not decided in time, or was called off.";
  }
  return `${execution.approvedBy} was faster: this was ${execution.approved ? "approved" : "rejected"} already.`;
}
