import { useQuery } from "@apollo/client/react";
import { Check, Wrench } from "lucide-react";
import { Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator } from "react-aria-components";

import { Button } from "../../../ui/Button";
import { Select } from "../../../ui/fields";
import styles from "./composer.module.css";
import { ComposerChoicesDocument, type ConversationSessionFragment } from "./documents.generated";
import type { Draft } from "./drafts";
import { choicesOf, modelOf } from "./models";

export interface ChoicesProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  session: ConversationSessionFragment | null;
}

/** Which model is asked, and the tools that it may call. */
export function Choices({ draft, change, session }: ChoicesProps) {
  const { data } = useQuery(ComposerChoicesDocument, { fetchPolicy: "cache-first" });
  const models = data?.models ?? [];
  const standard = models.find(({ isDefault }) => isDefault)?.id ?? "";
  const model = draft.model ?? (session && modelOf(session)) ?? standard;
  return (
    <>
      {data && data.tools.length > 0 && <Tools draft={draft} change={change} tools={data.tools} />}
      {models.length > 0 && (
        <div className={styles.model}>
          <Select
            label="Model"
            hideLabel
            choices={choicesOf(models, model)}
            value={model}
            onChange={(chosen) => change({ model: chosen })}
          />
        </div>
      )}
    </>
  );
}

interface ToolsProps extends Omit<ChoicesProps, "session"> {
  tools: readonly { name: string; description: string }[];
}

function Tools({ draft, change, tools }: ToolsProps) {
  const offered = draft.tools.length;
  return (
    <MenuTrigger>
      <Button kind="quiet" aria-label={`Tools: ${offered === 0 ? "none" : offered} offered`}>
        <Wrench size={18} aria-hidden />
        {offered > 0 && offered}
      </Button>
      <Popover className={styles.popover ?? ""}>
        <Menu aria-label="Tools that the model may call" className={styles.menu ?? ""}>
          <MenuSection
            aria-label="Tools of the server"
            selectionMode="multiple"
            selectedKeys={draft.tools}
            onSelectionChange={(keys) =>
              change({ tools: keys === "all" ? tools.map(({ name }) => name) : names(keys) })
            }
          >
            {tools.map(({ name, description }) => (
              <Choice key={name} id={name} label={name} help={description} />
            ))}
          </MenuSection>
          <Separator className={styles.separator ?? ""} />
          <MenuSection
            aria-label="Approval"
            selectionMode="multiple"
            selectedKeys={draft.approving ? [APPROVING] : []}
            onSelectionChange={(keys) => change({ approving: keys === "all" || keys.has(APPROVING) })}
          >
            <Choice id={APPROVING} label="Ask me before each call" help="The answer waits until you decide." />
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

const APPROVING = "approving";

function names(keys: ReadonlySet<string | number>): string[] {
  return [...keys].map(String);
}

function Choice({ id, label, help }: { id: string; label: string; help: string }) {
  return (
    <MenuItem id={id} textValue={label} className={styles.item ?? ""}>
      <span className={styles.check}>
        <Check size={16} aria-hidden />
      </span>
      <span>
        {label}
        <small>{help}</small>
      </span>
    </MenuItem>
  );
}
