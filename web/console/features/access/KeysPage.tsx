import { useQuery } from "@apollo/client/react";
import { Plus } from "lucide-react";
import { useState } from "react";

import { useViewer } from "../../api/viewer";
import { Button } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { Empty, Failure, Loading } from "../../ui/states";
import { ApiKeysDocument } from "./documents.generated";
import { KeyLine } from "./KeyLine";
import styles from "./KeysPage.module.css";
import { NewKey } from "./NewKey";

const AT_ONCE = 50;

/** The keys by which programs come in: one's own, and for an admin those of the tenant. */
export function Component() {
  const viewer = useViewer();
  const [isMaking, setMaking] = useState(false);
  const make = (
    <Button kind="primary" onPress={() => setMaking(true)} isDisabled={!viewer}>
      <Plus size={18} aria-hidden />
      New key
    </Button>
  );
  return (
    <Page title="API keys" actions={make}>
      <Keys />
      {viewer && isMaking && <NewKey viewer={viewer} onClose={() => setMaking(false)} />}
    </Page>
  );
}

function Keys() {
  const { data, error, loading, fetchMore, refetch } = useQuery(ApiKeysDocument, { variables: { last: AT_ONCE } });
  if (!data) {
    return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the keys" />;
  }
  const { edges, pageInfo } = data.apiKeys;
  if (edges.length === 0) {
    return (
      <Empty title="No keys yet">A key lets a program in as you. Make one with “New key”, and show it once.</Empty>
    );
  }
  return (
    <>
      <p className={styles.lead}>
        A program shows its key as <code>Authorization: Bearer colloquy_…</code>. Keys that have ended stay as a record.
      </p>
      <ul className={styles.keys}>
        {edges.toReversed().map(({ node }) => (
          <KeyLine key={node.id} apiKey={node} />
        ))}
      </ul>
      {pageInfo.hasPreviousPage && (
        <Button isPending={loading} onPress={() => void fetchMore({ variables: { before: pageInfo.startCursor } })}>
          Show older ones
        </Button>
      )}
    </>
  );
}
