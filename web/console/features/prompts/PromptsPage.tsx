import { NetworkStatus } from "@apollo/client";
import { useQuery } from "@apollo/client/react";
import { useCallback, useState } from "react";

import { useAddress } from "../../ui/address";
import { Button } from "../../ui/Button";
import { whole } from "../../ui/numbers";
import { Page } from "../../ui/Page";
import { Empty, Failure, Loading } from "../../ui/states";
import { PromptLibraryDocument } from "./library/documents.generated";
import { asked, type Condition, CONDITIONS, DEFAULT_ORDER } from "./library/filter";
import { Filters } from "./library/Filters";
import styles from "./library/library.module.css";
import { Moving } from "./library/Moving";
import { NewPrompt } from "./library/NewPrompt";
import { PromptRow } from "./library/PromptRow";

const PER_PAGE = 50;

/** The library: all prompts of the tenant, as far as the filters of the address let them in. */
export function Component() {
  const [address, setAddress] = useAddress();
  const [dialog, setDialog] = useState<"new" | "moving" | null>(null);
  const close = useCallback(() => setDialog(null), []);
  const ask = useCallback(
    (what: Condition | "order", value: string) => setAddress({ [what]: value === DEFAULT_ORDER ? null : value }),
    [setAddress],
  );
  const clear = () => setAddress(Object.fromEntries(CONDITIONS.map((condition) => [condition, null])));
  const create = (
    <Button kind="primary" onPress={() => setDialog("new")}>
      New prompt
    </Button>
  );
  return (
    <Page
      title="Prompts"
      actions={
        <>
          <Button onPress={() => setDialog("moving")}>Import and export</Button>
          {create}
        </>
      }
    >
      <Filters address={address} onAsk={ask} onClear={clear} />
      <Library address={address} onClear={clear} create={create} />
      <NewPrompt isOpen={dialog === "new"} onClose={close} />
      <Moving isOpen={dialog === "moving"} onClose={close} />
    </Page>
  );
}

interface LibraryProps {
  address: URLSearchParams;
  onClear: () => void;
  create: React.ReactNode;
}

function Library({ address, onClear, create }: LibraryProps) {
  const { data, previousData, error, refetch, fetchMore, networkStatus } = useQuery(PromptLibraryDocument, {
    variables: { ...asked(address), first: PER_PAGE },
    notifyOnNetworkStatusChange: true,
  });
  // What was found before stays until what is asked for now is there.
  const found = (data ?? previousData)?.promptTemplates;
  if (error && !data) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!found) {
    return <Loading label="Loading the prompts" />;
  }
  if (found.edges.length === 0) {
    return asked(address).filter ? (
      <Empty title="No prompt is like that" action={<Button onPress={onClear}>Clear the filters</Button>}>
        Ask for less, or look at all prompts.
      </Empty>
    ) : (
      <Empty title="There are no prompts yet" action={create}>
        Prompts are texts that your team asks models with again and again. Make the first one, or import a library.
      </Empty>
    );
  }
  const { hasNextPage, endCursor } = found.pageInfo;
  return (
    <>
      <p className={styles.count} role="status">
        {found.totalCount === 1 ? "1 prompt" : `${whole(found.totalCount)} prompts`}
      </p>
      <ul className={styles.list} aria-label="Prompts">
        {found.edges.map(({ node }) => (
          <PromptRow key={node.id} prompt={node} />
        ))}
      </ul>
      {hasNextPage && (
        <div className={styles.more}>
          <Button
            isDisabled={networkStatus === NetworkStatus.fetchMore}
            onPress={() => void fetchMore({ variables: { after: endCursor } })}
          >
            Show more
          </Button>
        </div>
      )}
    </>
  );
}
