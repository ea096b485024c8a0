import { useQuery } from "@apollo/client/react";
import { useDeferredValue, useState } from "react";
import { ListBox, ListBoxItem, Text } from "react-aria-components";

import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { TextField } from "../../../ui/fields";
import { Empty, Failure, Loading } from "../../../ui/states";
import styles from "./composer.module.css";
import { ComposerTemplatesDocument } from "./documents.generated";
import { filled, problemOf, type Template, valuesOf, type Variable, writtenDefault, type Written } from "./templates";

export interface PromptPickerProps {
  onClose: () => void;
  /** The text of the prompt, to go on writing. */
  onInsert: (text: string) => void;
  /** Have the prompt asked as the library has it. */
  onAsk: (templateId: string, variables: Record<string, unknown>) => void;
}

/** Finds a prompt of the library, and fills its variables. */
export function PromptPicker({ onClose, onInsert, onAsk }: PromptPickerProps) {
  const [chosen, setChosen] = useState<Template | null>(null);
  const [written, setWritten] = useState<Written>({});
  const choose = (template: Template) => {
    setChosen(template);
    setWritten(
      Object.fromEntries(template.declaredVariables.map((variable) => [variable.name, writtenDefault(variable)])),
    );
  };
  const wrong = chosen?.declaredVariables.some(
    (variable) => problemOf(variable, written[variable.name] ?? "") !== null,
  );
  const done = (then: () => void) => () => {
    onClose();
    then();
  };
  return (
    <Dialog
      title={chosen ? chosen.name : "Prompts of the library"}
      isOpen
      wide
      onClose={onClose}
      actions={
        chosen && (
          <>
            <Button onPress={() => setChosen(null)}>Back</Button>
            <Button isDisabled={wrong ?? false} onPress={done(() => onInsert(filled(chosen.content, written)))}>
              Insert the text
            </Button>
            <Button
              kind="primary"
              isDisabled={wrong ?? false}
              onPress={done(() => onAsk(chosen.id, valuesOf(chosen.declaredVariables, written)))}
            >
              Ask
            </Button>
          </>
        )
      }
    >
      {chosen ? (
        <Fill
          template={chosen}
          written={written}
          onWrite={(name, text) => setWritten((before) => ({ ...before, [name]: text }))}
        />
      ) : (
        <Choose onChoose={choose} />
      )}
    </Dialog>
  );
}

function Choose({ onChoose }: { onChoose: (template: Template) => void }) {
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim());
  const { data, previousData, error, refetch } = useQuery(ComposerTemplatesDocument, {
    variables: { text: wanted === "" ? null : wanted },
  });
  const templates = (data ?? previousData)?.promptTemplates.edges.map(({ node }) => node);
  return (
    <div className={styles.picker}>
      <TextField label="Search the library" value={text} onChange={setText} autoFocus />
      {error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : templates === undefined ? (
        <Loading label="Loading prompts" />
      ) : templates.length === 0 ? (
        <Empty title="No such prompt">{wanted ? "Search for other words." : "Write one under Prompts."}</Empty>
      ) : (
        <ListBox
          aria-label="Prompts"
          className={styles.templates ?? ""}
          items={templates}
          onAction={(id) => {
            const template = templates.find((template) => template.id === id);
            if (template) {
              onChoose(template);
            }
          }}
        >
          {({ id, name, description, content }) => (
            <ListBoxItem id={id} textValue={name} className={styles.template ?? ""}>
              <Text slot="label">{name}</Text>
              <Text slot="description" className={styles.hint ?? ""}>
                {description ?? content.slice(0, 160)}
              </Text>
            </ListBoxItem>
          )}
        </ListBox>
      )}
    </div>
  );
}

interface FillProps {
  template: Template;
  written: Written;
  onWrite: (name: string, text: string) => void;
}

function Fill({ template, written, onWrite }: FillProps) {
  return (
    <div className={styles.picker}>
      {template.declaredVariables.map((variable) => (
        <VariableField
          key={variable.name}
          variable={variable}
          text={written[variable.name] ?? ""}
          onChange={(text) => onWrite(variable.name, text)}
        />
      ))}
      <figure className={styles.preview}>
        <figcaption>What is asked</figcaption>
        <pre tabIndex={0}>{filled(template.content, written)}</pre>
      </figure>
    </div>
  );
}

interface VariableFieldProps {
  variable: Variable;
  text: string;
  onChange: (text: string) => void;
}

function VariableField({ variable, text, onChange }: VariableFieldProps) {
  const problem = problemOf(variable, text);
  const help = [variable.description, text === "" ? null : problem].filter(Boolean).join(" · ");
  return (
    <TextField
      label={variable.name}
      value={text}
      onChange={onChange}
      isRequired={variable.required}
      isInvalid={text !== "" && problem !== null}
      {...(help && { help })}
      {...((variable.type === "TEXT" || variable.type === "JSON") && { rows: 2 })}
    />
  );
}
