import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useLocation, useNavigate } from "react-router";

import { send } from "../../../api/commands";
import { changed, useAddress } from "../../../ui/address";
import { Button } from "../../../ui/Button";
import { Confirm } from "../../../ui/Dialog";
import { SearchField } from "../../../ui/SearchField";
import { MESSAGE } from "../conversation/useSought";
import { DeleteSessionItemDocument, type SessionItemFragment } from "./documents.generated";
import { EditSession } from "./EditSession";
import { type Filter, filterOf, STATUSES } from "./filter";
import { FilterButton } from "./FilterButton";
import { dropSession } from "./lists";
import { SearchResults } from "./SearchResults";
import { SessionsList } from "./SessionsList";
import type { Task } from "./SessionRow";
import styles from "./sessions.module.css";
import { Chips } from "./TagsField";
import { useSettled } from "./useSearch";

/** The conversations of whoever asks: to be found, filed, and gone to. */
export function SessionsPane({ selected }: { selected: string | null }) {
  const [params, change] = useAddress();
  const { search } = useLocation();
  const navigate = useNavigate();
  const [task, setTask] = useState<{ kind: Task; session: SessionItemFragment } | null>(null);
  const [words, setWords] = useState("");
  const query = useSettled(words.trim());
  const filter = filterOf(params);
  // Which message was looked for is nothing that the next conversation has to know.
  const kept = changed(new URLSearchParams(search), { [MESSAGE]: null }).toString();
  const choose = ({ status, tags }: Filter): void => change({ status, tag: tags });

  const remove = async ({ id }: SessionItemFragment): Promise<void> => {
    if (await send(DeleteSessionItemDocument, { input: { sessionId: id, clientKey: crypto.randomUUID() } })) {
      dropSession(id);
      if (id === selected) {
        void navigate({ pathname: "/chat", search: kept });
      }
    }
  };

  return (
    <section className={styles.pane} aria-label="Conversations">
      <header className={styles.header}>
        <h2>Conversations</h2>
        <Button kind="primary" onPress={() => void navigate({ pathname: "/chat/new", search: kept })}>
          <Plus size={16} aria-hidden />
          New
        </Button>
      </header>
      <div className={styles.tools}>
        <SearchField label="Search conversations" value={words} onChange={setWords} />
        <FilterButton filter={filter} onChange={choose} />
      </div>
      <Chosen filter={filter} onChange={choose} />
      {query && words.trim() ? (
        <SearchResults query={query} filter={filter} selected={selected} search={kept} />
      ) : (
        <SessionsList
          key={JSON.stringify(filter)}
          filter={filter}
          selected={selected}
          search={kept}
          onTask={(kind, session) => setTask({ kind, session })}
          onClear={() => choose({ status: [], tags: [] })}
        />
      )}
      {task?.kind === "edit" && <EditSession session={task.session} onClose={() => setTask(null)} />}
      <Confirm
        title="Delete the conversation?"
        action="Delete"
        isOpen={task?.kind === "delete"}
        onClose={() => setTask(null)}
        onConfirm={() => task && void remove(task.session)}
      >
        <p>“{task?.session.title}” is gone for good then, with its messages and files.</p>
      </Confirm>
    </section>
  );
}

/** What is filtered by, each to be taken away. */
function Chosen({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }): ReactNode {
  const words = [...filter.status.map((status) => STATUSES[status]), ...filter.tags];
  const remove = (word: string): void =>
    onChange({
      status: filter.status.filter((status) => STATUSES[status] !== word),
      tags: filter.tags.filter((tag) => tag !== word),
    });
  return <Chips label="Filtered by" words={[...new Set(words)]} onRemove={remove} />;
}
