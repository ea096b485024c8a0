import { useQuery } from "@apollo/client/react";
import { Plus } from "lucide-react";
import { useEffect, useState } from "react";

import { go } from "../../app/router";
import { useAddress } from "../../ui/address";
import { Button } from "../../ui/Button";
import { Select, TextField } from "../../ui/fields";
import { Page } from "../../ui/Page";
import { Empty, Failure, Loading } from "../../ui/states";
import { type ProjectOrder, type WaitsFor, WorkflowProjectsDocument } from "./documents.generated";
import { useMeans } from "./means";
import { ProjectDialog } from "./ProjectDialog";
import { ProjectRow } from "./ProjectRow";
import styles from "./projects.module.css";
import type { Stage } from "./stage/documents.generated";
import { STAGE_NAMES, STAGES, WAITS_FOR } from "./words";

const PAGE = 20;
const TYPING_MS = 250;
const ANY = "";

const ORDERS: readonly { value: ProjectOrder; label: string }[] = [
  { value: "UPDATED_AT_DESC", label: "Latest change first" },
  { value: "CREATED_AT_DESC", label: "Newest first" },
  { value: "NAME_ASC", label: "By name" },
];

/** The projects of the tenant, with what each of them waits for. */
export function Component() {
  const { mayEdit } = useMeans();
  const [isCreating, setCreating] = useState(false);
  const [params, change] = useAddress();
  const narrow = (name: string, value: string) => change({ [name]: value });
  const text = params.get("text") ?? "";
  const stage = (params.get("stage") ?? ANY) as Stage | typeof ANY;
  const waitsFor = (params.get("waitsFor") ?? ANY) as WaitsFor | typeof ANY;
  const orderBy = (params.get("orderBy") ?? "UPDATED_AT_DESC") as ProjectOrder;

  return (
    <Page
      title="Workflow"
      actions={
        mayEdit && (
          <Button kind="primary" onPress={() => setCreating(true)}>
            <Plus size={16} aria-hidden />
            New project
          </Button>
        )
      }
    >
      <div className={styles.filters} role="search">
        <Search text={text} onChange={(typed) => narrow("text", typed)} />
        <Select
          label="Stage"
          hideLabel
          choices={[
            { value: ANY, label: "At any stage" },
            ...STAGES.map((value) => ({ value, label: STAGE_NAMES[value] })),
          ]}
          value={stage}
          onChange={(value) => narrow("stage", value)}
        />
        <Select
          label="Waits for"
          hideLabel
          choices={[
            { value: ANY, label: "Waits for anybody" },
            ...Object.entries(WAITS_FOR).map(([value, label]) => ({
              value: value as WaitsFor,
              label: `Waits for ${label.toLowerCase()}`,
            })),
          ]}
          value={waitsFor}
          onChange={(value) => narrow("waitsFor", value)}
        />
        <Select
          label="Order"
          hideLabel
          choices={ORDERS}
          value={orderBy}
          onChange={(value) => narrow("orderBy", value)}
        />
      </div>
      <Projects
        filter={{ text: text || null, stage: stage || null, waitsFor: waitsFor || null }}
        orderBy={orderBy}
        onCreate={mayEdit ? () => setCreating(true) : undefined}
      />
      <ProjectDialog isOpen={isCreating} onClose={() => setCreating(false)} onStored={(id) => go(`/workflow/${id}`)} />
    </Page>
  );
}

/** Asks once nothing was typed for a moment. */
function Search({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => {
    if (typed.trim() === text) {
      return;
    }
    const asking = setTimeout(() => onChange(typed.trim()), TYPING_MS);
    return () => clearTimeout(asking);
  }, [typed, text, onChange]);
  return (
    <TextField
      label="Search projects by name"
      hideLabel
      placeholder="Search by name"
      type="search"
      value={typed}
      onChange={setTyped}
    />
  );
}

interface ProjectsProps {
  filter: { text: string | null; stage: Stage | null; waitsFor: WaitsFor | null };
  orderBy: ProjectOrder;
  onCreate: (() => void) | undefined;
}

function Projects({ filter, orderBy, onCreate }: ProjectsProps) {
  const { data, previousData, error, refetch, fetchMore } = useQuery(WorkflowProjectsDocument, {
    variables: { filter, orderBy, first: PAGE },
  });
  // While another list is fetched, the last one stays.
  const found = (data ?? previousData)?.projects;
  if (error && !data) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!found) {
    return <Loading label="Loading projects" />;
  }
  if (found.edges.length === 0) {
    return Object.values(filter).some(Boolean) ? (
      <Empty title="No project is like that">Another name, stage, or whom it waits for may find one.</Empty>
    ) : (
      <Empty
        title="There is no project yet"
        action={
          onCreate && (
            <Button kind="primary" onPress={onCreate}>
              Describe the first
            </Button>
          )
        }
      >
        Describe a project in your own words; at the end there is a prompt for every piece of it.
      </Empty>
    );
  }
  return (
    <>
      <p className={styles.count} role="status">
        {found.totalCount === 1 ? "One project" : `${found.totalCount} projects`}
      </p>
      <ul className={styles.list} aria-label="Projects">
        {found.edges.map(({ node }) => (
          <ProjectRow key={node.id} project={node} />
        ))}
      </ul>
      {found.pageInfo.hasNextPage && (
        <div className={styles.more}>
          <Button onPress={() => void fetchMore({ variables: { after: found.pageInfo.endCursor } })}>Show more</Button>
        </div>
      )}
    </>
  );
}
