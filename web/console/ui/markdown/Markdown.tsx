import { Component, lazy, type ReactNode, Suspense } from "react";

import styles from "./Markdown.module.css";
import { isReadable } from "./readable";

// The reader of Markdown is as large as the rest of a page: a text is there before it.
const load = () => import("./Rendered");
const Rendered = lazy(load);

/** Fetch the reader while a text is still on its way, so that what is shown does not move once it is there. */
export function prepareMarkdown(): void {
  // Where it could not be had, it is asked for again by the first text.
  load().catch(() => undefined);
}

export interface MarkdownProps {
  text: string;
  /** It is being written: a mark at its end says so. */
  streaming?: boolean;
  /** Of its uppermost headings: one below the heading that it stands under. */
  headingLevel?: 2 | 3 | 4;
}

/**
 * A text of anybody, with the marks of Markdown that it has. It becomes React's elements and nothing else: HTML in it is
 * text, pictures are links, and nothing is loaded for it.
 */
export function Markdown({ text, streaming = false, headingLevel = 3 }: MarkdownProps) {
  const plain = <p className={styles.plain}>{text}</p>;
  return (
    <div className={`${styles.markdown} ${streaming ? styles.streaming : ""}`}>
      {isReadable(text) ? (
        <OrPlain plain={plain}>
          <Suspense fallback={plain}>
            <Rendered text={text} headingLevel={headingLevel} />
          </Suspense>
        </OrPlain>
      ) : (
        plain
      )}
    </div>
  );
}

/** Shows the text itself where its marks cannot be read: its reader fails, or could not be fetched. */
class OrPlain extends Component<{ plain: ReactNode; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.plain : this.props.children;
  }
}
