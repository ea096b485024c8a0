import { useEffect, useRef } from "react";

import { Loading } from "../../../ui/states";
import styles from "./stage.module.css";
import { useWriting } from "./useWriting";

/** From its end, in pixels: who reads further above is left there. */
const NEAR_END = 60;

/** An attempt while a model writes it. */
export function Writing({ runId }: { runId: string }) {
  const text = useWriting(runId);
  const box = useRef<HTMLDivElement>(null);
  const stays = useRef(false);
  useEffect(() => {
    if (box.current && !stays.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text]);
  if (text === "") {
    return <Loading label="The model has not begun to write" />;
  }
  return (
    <div
      ref={box}
      className={styles.writing}
      tabIndex={0}
      role="region"
      aria-label="Being written"
      aria-busy
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        stays.current = scrollHeight - scrollTop - clientHeight > NEAR_END;
      }}
    >
      {text}
    </div>
  );
}
