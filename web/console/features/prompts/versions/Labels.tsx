import { useQuery } from "@apollo/client/react";
import { Plus } from "lucide-react";
import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import { Confirm, Dialog } from "../../../ui/Dialog";
import { Select } from "../../../ui/fields";
import { Moment } from "../../../ui/Moment";
import { Empty, Failure, Loading } from "../../../ui/states";
import { toast } from "../../../ui/toasts";
import { PromptLabelsDocument, type PromptLabelsQuery, SetPromptLabelDocument } from "./documents.generated";
import { History } from "./History";
import { SetLabel } from "./SetLabel";
import styles from "./versions.module.css";

type Label = NonNullable<PromptLabelsQuery["promptTemplate"]>["labels"][number];

const LISTED_VERSIONS = 100;

/** The labels of a prompt: which version each points to, who set it there; moved, removed, and what they were before. */
export function Labels({ templateId }: { templateId: string }) {
  const { data, error, refetch } = useQuery(PromptLabelsDocument, {
    variables: { id: templateId },
  });
  const [isAdding, setAdding] = useState(false);
  const [looked, setLooked] = useState<string | null>(null);
  const template = data?.promptTemplate;
  if (error && !template) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!template) {
    return <Loading label="Loading the labels" />;
  }
  const add = (
    <Button onPress={() => setAdding(true)}>
      <Plus size={16} aria-hidden /> New label
    </Button>
  );
  return (
    <div className={styles.stack}>
      {template.labels.length === 0 ? (
        <Empty title="There are no labels" action={add}>
          A label, such as production, names one version. Whoever asks for the label gets that version; going back is
          moving it back.
        </Empty>
      ) : (
        <>
          <div>{add}</div>
          <ul className={styles.labels} aria-label="Labels">
            {template.labels.map((label) => (
              <LabelRow
                key={label.label}
                templateId={templateId}
                label={label}
                latest={template.version}
                onHistory={() => setLooked(label.label)}
              />
            ))}
          </ul>
        </>
      )}
      <SetLabel templateId={templateId} version={isAdding ? template.version : null} onClose={() => setAdding(false)} />
      <Dialog title={`History of “${looked ?? ""}”`} isOpen={looked !== null} onClose={() => setLooked(null)}>
        {looked !== null && <History templateId={templateId} label={looked} />}
      </Dialog>
    </div>
  );
}

interface LabelRowProps {
  templateId: string;
  label: Label;
  latest: number;
  onHistory: () => void;
}

function LabelRow({ templateId, label: { label, version, movedBy, movedAt }, latest, onHistory }: LabelRowProps) {
  const { send, sending } = useCommand(SetPromptLabelDocument);
  const [removing, setRemoving] = useState(false);
  const move = async (next: number | null) => {
    // Where somebody has moved it meanwhile, that is told and nothing is done.
    const input = { templateId, label, version: next, expectedVersion: version, clientKey: crypto.randomUUID() };
    if (await send({ input })) {
      toast.note(next === null ? `“${label}” is removed.` : `“${label}” points to version ${next}.`);
    }
  };
  const oldest = Math.max(1, latest - LISTED_VERSIONS + 1);
  const listed = Array.from({ length: latest - oldest + 1 }, (_, index) => latest - index);
  const choices = listed.includes(version) ? listed : [...listed, version];
  return (
    <li className={styles.label}>
      <h2 className={styles.name}>{label}</h2>
      <Select
        label={`Version of ${label}`}
        hideLabel
        value={String(version)}
        choices={choices.map((number) => ({ value: String(number), label: `Version ${number}` }))}
        onChange={(number) => Number(number) !== version && void move(Number(number))}
        isDisabled={sending}
      />
      <span className={styles.muted}>
        set there <Moment at={movedAt} /> by {movedBy}
      </span>
      <span className={styles.acts}>
        <Button kind="quiet" aria-label={`History of ${label}`} onPress={onHistory}>
          History
        </Button>
        <Button kind="quiet" aria-label={`Remove ${label}`} onPress={() => setRemoving(true)}>
          Remove
        </Button>
      </span>
      <Confirm
        title={`Remove “${label}”?`}
        action="Remove"
        isOpen={removing}
        onClose={() => setRemoving(false)}
        onConfirm={() => void move(null)}
      >
        <p>Whoever asks for this label gets nothing any more. Version {version} stays.</p>
      </Confirm>
    </li>
  );
}
