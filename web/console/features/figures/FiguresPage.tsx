import { useSearchParams } from "react-router";

import { Page } from "../../ui/Page";
import { Budgets } from "./Budgets";
import { Controls } from "./Controls";
import styles from "./Figures.module.css";
import { read } from "./range";
import { Shown } from "./Shown";
import { zoneHere } from "./zones";

/** What the caller's conversations add up to, in a range that stands in the address. */
export function Component() {
  const [address] = useSearchParams();
  const wanted = read(address, { zone: zoneHere(), preset: "30" });
  return (
    <Page title="Figures">
      <Controls wanted={wanted} />
      <Shown wanted={wanted} />
      <section className={styles.section} aria-label="Spending">
        <h2>Spending</h2>
        <Budgets />
      </section>
    </Page>
  );
}
