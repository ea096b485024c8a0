import { useQuery } from "@apollo/client/react";
import { Play } from "lucide-react";
import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { type Refusal, tellRefusal } from "../../../api/errors";
import { useAddress } from "../../../ui/address";
import { Button } from "../../../ui/Button";
import { Select, TextField } from "../../../ui/fields";
import type { PromptTextFragment } from "../documents.generated";
import { draftOf } from "../editing/draft";
import type { Editing } from "../editing/useDraft";
import { ValueField } from "../editing/ValueField";
import { typed } from "../editing/values";
import { useKept } from "../kept";
import { ExecutePromptDocument, PromptModelsDocument } from "./documents.generated";
import { askSaved, askUnsaved, type TypedValues, variablesOf } from "./question";
import { TestAnswer } from "./TestAnswer";
import styles from "./testing.module.css";

interface Asked {
  values: TypedValues;
  model: string;
  temperature: string;
  /** Where there is an unsaved text: whether the saved one is asked all the same. */
  saved: boolean;
}

const NOTHING: Asked = { values: {}, model: "", temperature: "", saved: false };

const WARMEST = 2;

function temperatureProblem(raw: string): string | null {
  const read = typed("NUMBER", raw);
  const isTooFar = read.kind === "value" && (Number(read.value) < 0 || Number(read.value) > WARMEST);
  return read.kind === "problem" || isTooFar ? "This must be a number from 0 to 2." : null;
}

/** Asks a model with the prompt as it stands in the editor, or as it was saved; the run's id is in the address. */
export function TestRun({ template, editing }: { template: PromptTextFragment; editing: Editing }) {
  const [address, setAddress] = useAddress();
  const [asked, keep] = useKept<Asked>(`test.${template.id}`, NOTHING);
  const [problem, setProblem] = useState<string | null>(null);
  const { send, sending } = useCommand(ExecutePromptDocument);
  const isUnsaved = editing.isChanged && !asked.saved;
  const fields = isUnsaved ? editing.draft.fields : draftOf(template).base;
  const runId = address.get("run");
  const set = (members: Partial<Asked>) => keep((now) => ({ ...now, ...members }));

  const run = async () => {
    const question = isUnsaved ? askUnsaved(fields, asked.values) : askSaved(template, asked.values);
    const refused = question.kind === "problem" ? question.problem : temperatureProblem(asked.temperature);
    setProblem(refused);
    if (question.kind === "problem" || refused) {
      return;
    }
    const payload = await send(
      {
        input: {
          ...question.input,
          ...(asked.model && { model: asked.model }),
          ...(asked.temperature.trim() && { temperature: Number(asked.temperature) }),
          clientKey: crypto.randomUUID(),
        },
      },
      ["VALIDATION_ERROR"],
    );
    const started = payload?.run;
    if (payload?.error) {
      setProblem(told(payload.error));
    } else if (started) {
      setAddress({ run: started.id });
    }
  };

  return (
    <section className={styles.test} aria-labelledby="test">
      <h2 id="test">Test run</h2>
      <form
        className={styles.form}
        aria-labelledby="test"
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        {editing.isChanged && (
          <Select
            label="What is asked"
            value={asked.saved ? "saved" : "unsaved"}
            choices={[
              { value: "unsaved", label: "The unsaved text" },
              { value: "saved", label: `Version ${template.version}, as it was saved` },
            ]}
            onChange={(choice) => set({ saved: choice === "saved" })}
          />
        )}
        {variablesOf(fields)
          .filter(({ name }) => name !== "")
          .map(({ name, type, description, required, default: usual }) => (
            <ValueField
              key={`${name} ${type}`}
              label={name}
              type={type}
              value={asked.values[name] ?? ""}
              none={usual !== "" ? `By default: ${usual}` : required ? "Needs a value" : "No text"}
              help={description}
              isLong
              onChange={(value) => set({ values: { ...asked.values, [name]: value } })}
            />
          ))}
        <div className={styles.settings}>
          <Model value={asked.model} onChange={(model) => set({ model })} />
          <TextField
            label="Temperature"
            value={asked.temperature}
            onChange={(temperature) => set({ temperature })}
            placeholder="The provider's"
            inputMode="decimal"
            validationBehavior="aria"
            validate={temperatureProblem}
          />
        </div>
        {problem && (
          <p className={styles.problem} role="alert">
            {problem}
          </p>
        )}
        <Button kind="primary" type="submit" isDisabled={sending}>
          <Play size={16} aria-hidden /> Run
        </Button>
      </form>
      {runId && <TestAnswer key={runId} runId={runId} />}
    </section>
  );
}

function told(refusal: Refusal): string {
  const { title, detail } = tellRefusal(refusal);
  return detail ? `${title}. ${detail}` : title;
}

function Model({ value, onChange }: { value: string; onChange: (model: string) => void }) {
  const { data } = useQuery(PromptModelsDocument);
  const models = data?.models.filter(({ configured }) => configured) ?? [];
  const usual = models.find(({ isDefault }) => isDefault)?.id;
  return (
    <Select
      label="Model"
      value={value}
      choices={[
        { value: "", label: usual ? `The server's: ${usual}` : "The server's" },
        ...models.map(({ id }) => ({ value: id, label: id })),
      ]}
      onChange={onChange}
    />
  );
}
