import type { Element, Nodes, Root, Text } from "hast";
import { Image } from "lucide-react";
import { type ComponentProps, createContext, memo, use, useId, useMemo, useState } from "react";
import ReactMarkdown, { type Components, type ExtraProps, type Options } from "react-markdown";
import remarkGfm from "remark-gfm";

import { type Block, inOrder, split } from "./blocks";
import { CodeBlock } from "./CodeBlock";
import { followed } from "./links";
import styles from "./Markdown.module.css";

/** Inside a link nothing else can be one. */
const InLink = createContext(false);

type Props<Tag extends keyof React.JSX.IntrinsicElements> = ComponentProps<Tag> & ExtraProps;

function Link({ href, children }: { href: string | undefined; children: React.ReactNode }) {
  const inside = use(InLink);
  const address = followed(href ?? "");
  return address && !inside ? (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      <InLink value={true}>{children}</InLink>
    </a>
  ) : (
    children
  );
}

/** A picture is not loaded: it would tell its host who reads this, and when. */
function Picture({ src, alt }: Props<"img">) {
  return (
    <Link href={typeof src === "string" ? src : ""}>
      <span className={styles.picture}>
        <Image size={14} aria-hidden />
        {alt ? `${alt} (image)` : "image"}
      </span>
    </Link>
  );
}

function Fenced({ node }: Props<"pre">) {
  const code = node?.children[0];
  const classes = code?.type === "element" ? code.properties["className"] : null;
  const language = Array.isArray(classes) ? String(classes[0]).replace(/^language-/, "") : null;
  return <CodeBlock code={textOf(node).replace(/\n$/, "")} language={language} />;
}

function Task({ checked }: Props<"input">) {
  return <span role="img" aria-label={checked ? "done" : "not done"} className={checked ? styles.done : styles.open} />;
}

function Table({ children }: Props<"table">) {
  return (
    <div className={styles.scrolled} role="group" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </div>
  );
}

function HeaderCell({ node, children }: Props<"th">) {
  return textOf(node) ? <th scope="col">{children}</th> : <td />;
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
  img: Picture,
  pre: Fenced,
  input: Task,
  table: Table,
  th: HeaderCell,
};

function textOf(node: Nodes | undefined): string {
  if (node?.type === "text") {
    return node.value;
  }
  return node && "children" in node ? node.children.map(textOf).join("") : "";
}

/** Headings at the levels that the page has for them, with none left out. */
function headings({ top, after }: { top: number; after: number }) {
  return (tree: Nodes): void => {
    let previous = after;
    const order = (node: Nodes): void => {
      if (node.type === "element" && /^h[1-6]$/.test(node.tagName)) {
        previous = inOrder(previous, Number(node.tagName[1]));
        relevel(node, top + previous - 1);
      } else if ("children" in node) {
        node.children.forEach(order);
      }
    };
    order(tree);
  };
}

function relevel(heading: Element, level: number): void {
  heading.tagName = `h${Math.min(level, 6)}`;
}

/** HTML between paragraphs is a paragraph of its own, with its lines. */
function paragraphsOfHtml() {
  return (tree: Root): void => {
    tree.children = tree.children.map((node) =>
      node.type === ("raw" as string)
        ? {
            type: "element",
            tagName: "p",
            properties: { className: [styles.plain ?? ""] },
            children: [node as Text],
          }
        : node,
    );
  };
}

const Shown = memo(function Shown({ text, after, top }: Block & { top: number }) {
  // Footnotes have ids, and messages beside this one have them too.
  const id = useId();
  const options = useMemo(
    () => ({
      remarkRehypeOptions: { clobberPrefix: id },
      rehypePlugins: [paragraphsOfHtml, [headings, { top, after }]] as Options["rehypePlugins"],
    }),
    [id, top, after],
  );
  return (
    <ReactMarkdown remarkPlugins={[remarkGfm]} urlTransform={followed} components={COMPONENTS} {...options}>
      {text}
    </ReactMarkdown>
  );
});

/** Markdown as elements, a block at a time: of a text that grows, only the last one is made again. */
export default function Rendered({ text, headingLevel }: { text: string; headingLevel: number }) {
  const [known, setKnown] = useState(() => split(text));
  const now = known.text === text ? known : split(text, known);
  if (now !== known) {
    setKnown(now);
  }
  return now.blocks.map((block, index) => <Shown key={index} {...block} top={headingLevel} />);
}
