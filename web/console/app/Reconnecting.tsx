import { useEffect, useState, useSyncExternalStore } from "react";

import { connection, onConnection } from "../api/connection";
import styles from "./Reconnecting.module.css";

/** Whoever is back sooner was not away. */
const BLINK_MS = 800;

/** A quiet line while the server is not heard of. */
export function Reconnecting() {
  const isAway = useSyncExternalStore(onConnection, connection) === "reconnecting";
  return <div role="status">{isAway && <Banner />}</div>;
}

function Banner() {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const waiting = setTimeout(() => setShown(true), BLINK_MS);
    return () => clearTimeout(waiting);
  }, []);
  return isShown && <p className={styles.banner}>Reconnecting… what you see may not be the newest.</p>;
}
