import { Check, Copy } from "lucide-react";
import { useDeferredValue, useEffect, useState } from "react";

import { Button } from "../Button";
import type { Piece } from "./highlight";
import styles from "./CodeBlock.module.css";

/** What is longer stays without colours: to find them would hold up the page. */
const LONGEST = 20_000;

const COPIED_MS = 2_000;

export interface CodeBlockProps {
  code: string;
  language: string | null;
  /** What stands above it; the language, where nothing else is said. */
  label?: string;
  /** What is copied, where that is not what is shown. */
  copied?: string;
}

/** Code as it is written, in colours where its language is known; it can be copied. */
export function CodeBlock({ code, language, label = language ?? "text", copied = code }: CodeBlockProps) {
  // While it is being written, its colours may come a little later than its letters.
  const pieces = useHighlighted(useDeferredValue(code), language);
  return (
    <figure className={styles.block} aria-label={label}>
      <figcaption className={styles.head}>
        <span>{label}</span>
        <CopyButton text={copied} label={`Copy: ${label}`} />
      </figcaption>
      <pre tabIndex={0} className={styles.code}>
        <code>
          {pieces?.code === code ? pieces.pieces.map((piece, index) => <Coloured key={index} piece={piece} />) : code}
        </code>
      </pre>
    </figure>
  );
}

function Coloured({ piece }: { piece: Piece }) {
  return piece.kind === null ? piece.text : <span className={styles[piece.kind]}>{piece.text}</span>;
}

/** Its pieces with their kinds; null until they are known, or where they are not. */
function useHighlighted(code: string, language: string | null): { code: string; pieces: Piece[] } | null {
  const [found, setFound] = useState<{ code: string; pieces: Piece[] } | null>(null);
  useEffect(() => {
    if (language === null || code.length > LONGEST) {
      return;
    }
    let wanted = true;
    void import("./highlight")
      .then(({ highlight }) => highlight(language, code))
      .then(
        (pieces) => wanted && setFound({ code, pieces }),
        // The code is there, only without colours.
        () => undefined,
      );
    return () => {
      wanted = false;
    };
  }, [code, language]);
  return found;
}

/** Puts a text into the clipboard, and says so. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(false), COPIED_MS) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <Button kind="quiet" icon aria-label={copied ? "Copied" : label} onPress={copy}>
      {copied ? <Check size={15} aria-hidden /> : <Copy size={15} aria-hidden />}
    </Button>
  );
}
