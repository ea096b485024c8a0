import { useSearchParams } from "react-router";

import { Page } from "../../ui/Page";
import { Tabs } from "../../ui/Tabs";
import styles from "./approvals.module.css";
import { useInbox } from "./inbox";
import { Reviews } from "./Reviews";
import { ToolApprovals } from "./ToolApprovals";

type Kind = "tools" | "reviews";

/** What awaits a decision of whoever is signed in, as it comes and goes. */
export function Component() {
  const inbox = useInbox();
  const [params, setParams] = useSearchParams();
  const selected: Kind = params.get("show") === "reviews" ? "reviews" : "tools";
  const label = (name: string, count: number | undefined) => (count ? `${name} (${count})` : name);
  return (
    <Page
      title="Approvals"
      actions={
        <p className={styles.keys}>
          <kbd>j</kbd> <kbd>k</kbd> next, previous · <kbd>a</kbd> approve · <kbd>r</kbd> reject
        </p>
      }
    >
      <Tabs<Kind>
        label="What awaits a decision"
        selected={selected}
        onSelect={(show) => setParams({ show }, { replace: true })}
        tabs={[
          {
            id: "tools",
            label: label("Tool calls", inbox?.approvals),
            content: <ToolApprovals awaited={inbox?.executionIds} />,
          },
          { id: "reviews", label: label("Reviews", inbox?.reviews), content: <Reviews awaited={inbox?.reviewIds} /> },
        ]}
      />
    </Page>
  );
}
