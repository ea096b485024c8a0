import { UnfoldVertical } from "lucide-react";
import { useMemo, useState } from "react";

import { Button } from "../Button";
import { compare, type Line, type Piece, type Row, summary, words } from "./compare";
import type { DiffProps } from "./Diff";
import styles from "./Diff.module.css";
import { type Block, first, fold } from "./fold";

/** Rows that are drawn at a time: a browser slows down with more. */
const AT_A_TIME = 400;

interface View {
  opened: ReadonlySet<number>;
  limit: number;
}

const CLOSED: View = { opened: new Set(), limit: AT_A_TIME };

export default function SideBySide({ before, after, beforeLabel, afterLabel }: DiffProps) {
  const comparison = useMemo(() => compare(before, after), [before, after]);
  // What was opened of one comparison is closed in the next.
  const [kept, keep] = useState({ of: comparison, view: CLOSED });
  const { opened, limit } = kept.of === comparison ? kept.view : CLOSED;
  const show = (change: Partial<View>) => keep({ of: comparison, view: { opened, limit, ...change } });
  const { blocks, beyond } = first(fold(comparison.stretches, opened), limit);
  return (
    <section className={styles.diff} aria-label={`${beforeLabel} compared with ${afterLabel}`}>
      <p className={styles.summary}>
        {summary(comparison)}
        {!comparison.matched && ". They have too little in common to be compared line by line."}
      </p>
      <div className={styles.labels}>
        <span>{beforeLabel}</span>
        <span>{afterLabel}</span>
      </div>
      {blocks.map((block) =>
        block.kind === "fold" ? (
          <button
            key={block.key}
            type="button"
            className={styles.fold}
            onClick={() => show({ opened: new Set([...opened, block.stretch]) })}
          >
            <UnfoldVertical size={14} aria-hidden />
            Show {block.count} unchanged lines
          </button>
        ) : (
          <Rows key={block.key} block={block} />
        ),
      )}
      {beyond > 0 && (
        <Button kind="quiet" onPress={() => show({ limit: limit + AT_A_TIME })}>
          Show {Math.min(beyond, AT_A_TIME)} more lines of {beyond}
        </Button>
      )}
    </section>
  );
}

function Rows({ block }: { block: Exclude<Block, { kind: "fold" }> }) {
  return (
    <div className={styles.rows}>
      {block.rows.map((row, at) =>
        block.kind === "same" ? <Same key={at} row={row} /> : <Changed key={at} row={row} />,
      )}
    </div>
  );
}

/** A line of both: heard once. */
function Same({ row: { before, after } }: { row: Row }) {
  return (
    <>
      {before && <Cell line={before} sign=" " kind="same" />}
      {after && (
        <div className={styles.twin} aria-hidden>
          <Cell line={after} sign=" " kind="same" />
        </div>
      )}
    </>
  );
}

function Changed({ row: { before, after } }: { row: Row }) {
  const marked = useMemo(() => before && after && words(before.text, after.text), [before, after]);
  return (
    <>
      {before ? (
        <del className={styles.side}>
          <Cell line={before} sign="−" kind="removed" pieces={marked?.before} />
        </del>
      ) : (
        <span className={styles.nothing} />
      )}
      {after ? (
        <ins className={`${styles.side} ${styles.second}`}>
          <Cell line={after} sign="+" kind="added" pieces={marked?.after} />
        </ins>
      ) : (
        <span className={`${styles.nothing} ${styles.second}`} />
      )}
    </>
  );
}

interface CellProps {
  line: Line;
  sign: string;
  kind: "same" | "added" | "removed";
  pieces?: readonly Piece[] | undefined;
}

function Cell({ line, sign, kind, pieces }: CellProps) {
  return (
    <span className={`${styles.line} ${styles[kind]}`}>
      <span className={styles.number} aria-hidden>
        {line.number}
      </span>
      <span aria-hidden>{sign}</span>
      <span className={styles.text}>
        {pieces
          ? pieces.map(({ text, changed }, at) =>
              changed ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
            )
          : line.text}
      </span>
    </span>
  );
}
