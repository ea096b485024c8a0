import { useState } from "react";

import { useAddress } from "../../ui/address";
import { Page } from "../../ui/Page";
import { Tabs } from "../../ui/Tabs";
import styles from "./approvals.module.css";
import { useInbox } from "./inbox";
import { Reviews } from "./Reviews";
import { ToolApprovals } from "./ToolApprovals";

const KINDS = ["tools", "reviews"] as const;
type Kind = (typeof KINDS)[number];

/** What awaits a decision of whoever is signed in, as it comes and goes. */
export function Component() {
  const inbox = useInbox();
  const [address, setAddress] = useAddress();
  // Where something awaits a decision as one comes: it does not change under one's hands when that is decided.
  const [first, setFirst] = useState<Kind | null>(null);
  if (inbox && first === null) {
    setFirst(inbox.approvals === 0 && inbox.reviews > 0 ? "reviews" : "tools");
  }
  const selected = KINDS.find((kind) => kind === address.get("show")) ?? first ?? "tools";
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
        onSelect={(show) => setAddress({ show })}
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
