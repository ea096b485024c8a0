import { Ellipsis, Terminal } from "lucide-react";
import { Button } from "react-aria-components";
import { NavLink, useLocation } from "react-router";

import { usePendingCount } from "../features/approvals/inbox";
import { Menu } from "../ui/Menu";
import { AccountMenu } from "./AccountMenu";
import styles from "./Nav.module.css";
import { type Place, PLACES } from "./places";
import { go } from "./router";

const PLAYGROUND = "/graphiql";

/** How many stay in sight where there is little room. */
const FIRST = 3;

/** Where one can go, and who one is: beside the page, or below it on a phone. */
export function Nav({ onShowKeys }: { onShowKeys: () => void }) {
  const { pathname } = useLocation();
  const isBehindMore = PLACES.slice(FIRST).some(({ to }) => pathname.startsWith(to));
  return (
    <nav className={styles.nav} aria-label="Main">
      <ul className={styles.places}>
        {PLACES.map((place, index) => (
          <li key={place.to} className={index < FIRST ? "" : styles.roomy}>
            <PlaceLink {...place} />
          </li>
        ))}
        <li className={styles.roomy}>
          <a className={styles.place} href={PLAYGROUND}>
            <Terminal size={20} aria-hidden />
            <span>Playground</span>
          </a>
        </li>
        <li className={styles.cramped}>
          <Menu
            label="More"
            trigger={
              <Button className={`${styles.place} ${isBehindMore ? styles.here : ""}`}>
                <Ellipsis size={20} aria-hidden />
                <span>More</span>
              </Button>
            }
            entries={[
              ...PLACES.slice(FIRST).map(({ to, label, icon: Icon }) => ({
                id: to,
                label,
                icon: <Icon size={18} aria-hidden />,
                onAction: () => go(to),
              })),
              {
                id: PLAYGROUND,
                label: "Playground",
                icon: <Terminal size={18} aria-hidden />,
                onAction: () => location.assign(PLAYGROUND),
              },
            ]}
          />
        </li>
      </ul>
      <AccountMenu onShowKeys={onShowKeys} className={`${styles.place} ${styles.account}`} />
    </nav>
  );
}

function PlaceLink({ to, label, icon: Icon, keys }: Place) {
  return (
    <NavLink to={to} className={styles.place ?? ""} title={`${label}: ${keys}`}>
      <Icon size={20} aria-hidden />
      <span>{label}</span>
      {to === "/approvals" && <Pending />}
    </NavLink>
  );
}

/** How much awaits a decision. */
function Pending() {
  const count = usePendingCount();
  return count ? (
    <span className={styles.pending}>
      {count}
      <span className={styles.hidden}> waiting</span>
    </span>
  ) : null;
}
