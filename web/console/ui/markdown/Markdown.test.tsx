import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { Markdown } from "./Markdown";
import Rendered from "./Rendered";

afterEach(cleanup);

function shown(text: string): HTMLElement {
  return render(<Rendered text={text} headingLevel={3} />).container;
}

const texts = (elements: Iterable<Element>): (string | null)[] => [...elements].map(({ textContent }) => textContent);

test("marks become elements", () => {
  const page = shown("**bold** and `code`\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n~~gone~~");

  expect(page.querySelector("strong")?.textContent).toBe("bold");
  expect(texts(page.querySelectorAll("li"))).toEqual(["one", "two"]);
  expect(texts(page.querySelectorAll("td"))).toEqual(["1", "2"]);
  expect(page.querySelector("del")?.textContent).toBe("gone");
});

test.each([
  "<script>window.hit = 1</script>",
  "<img src=x onerror=alert(1)>",
  "<a href='javascript:alert(1)'>click</a>",
  "<iframe src='https://evil.example'></iframe>",
  "<style>* { background: url(https://evil.example) }</style>",
  "<svg onload=alert(1)>",
  "<math><mtext></mtext></math>",
  "text <b onclick=alert(1)>bold</b> text",
])("HTML is shown as it is written: %s", (html) => {
  const page = shown(html);

  expect(page.textContent).toBe(html);
  expect(page.querySelectorAll("script, img, a, iframe, style, svg, math, b")).toHaveLength(0);
});

test("HTML between paragraphs keeps its lines", () => {
  const page = shown("before\n\n<div>\n  inside\n</div>\n\nafter");

  expect(texts(page.querySelectorAll("p"))).toEqual(["before", "<div>\n  inside\n</div>", "after"]);
});

test.each([
  "javascript:alert(1)",
  "JaVaScRiPt:alert(1)",
  "javascript&colon;alert(1)",
  "javascript&#58;alert(1)",
  "&#106;avascript:alert(1)",
  "java&Tab;script:alert(1)",
  "java&NewLine;script:alert(1)",
  "&#1;javascript:alert(1)",
  "\\javascript:alert(1)",
  "vbscript:msgbox(1)",
  "data:text/html,alert(1)",
  "data:text/html;base64,PHNjcmlwdD4=",
  "blob:https://evil.example/1",
  "file:///etc/passwd",
  "ftp://evil.example",
  "//evil.example",
  "/graphql",
  "?delete",
  "#content",
])("only the words are left of a link to %s", (address) => {
  const page = shown(`[words](<${address}>) ![picture](<${address}>) [named][1]\n\n[1]: <${address}>`);

  expect(page.querySelectorAll("a, img, [href], [src]")).toHaveLength(0);
  expect(page.textContent).toContain("words picture (image) named");
});

test("a link leads away without telling from where", () => {
  shown("[words](https://other.example/a?b=c) <mailto:a@other.example> https://plain.example www.short.example");

  const links = screen.getAllByRole<HTMLAnchorElement>("link");
  expect(links.map((link) => link.getAttribute("href"))).toEqual([
    "https://other.example/a?b=c",
    "mailto:a@other.example",
    "https://plain.example",
    "http://www.short.example",
  ]);
  for (const link of links) {
    expect(link.rel).toBe("noopener noreferrer nofollow");
    expect(link.target).toBe("_blank");
  }
});

test("a picture is a link that says so, and nothing inside a link is another one", () => {
  const page = shown("![a cat](https://other.example/cat.png) [![in it](https://one.example)](https://two.example)");

  expect(page.querySelector("img")).toBeNull();
  const links = screen.getAllByRole("link");
  expect(links.map((link) => [link.getAttribute("href"), link.textContent])).toEqual([
    ["https://other.example/cat.png", "a cat (image)"],
    ["https://two.example", "in it (image)"],
  ]);
});

test("headings stand below the page's own, with none left out", () => {
  const page = shown("# One\n\n#### Two\n\n> ### Three\n\n# Four");

  expect([...page.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(({ tagName }) => tagName)).toEqual([
    "H3",
    "H4",
    "H5",
    "H3",
  ]);
});

test("a text that grows renews its last block alone", () => {
  const { container, rerender } = render(<Rendered text={"first *block*\n\nseco"} headingLevel={3} />);
  const first = container.querySelector("p");

  rerender(<Rendered text={"first *block*\n\nsecond **one**\n\n- third"} headingLevel={3} />);

  expect(container.querySelector("p")).toBe(first);
  expect(texts(container.querySelectorAll("p, li"))).toEqual(["first block", "second one", "third"]);
});

test("what refers to another place in the text is found there", () => {
  shown("[docs][d] and a note[^1]\n\n[d]: https://docs.example\n\n[^1]: the note");

  expect(screen.getByRole("link", { name: "docs" }).getAttribute("href")).toBe("https://docs.example");
  expect(screen.getByText(/^the note/)).toBeTruthy();
});

test("the text is there before its marks are read", async () => {
  const { container } = render(<Markdown text="some **bold** words" />);

  expect(container.textContent).toBe("some **bold** words");
  await waitFor(() => expect(container.querySelector("strong")?.textContent).toBe("bold"));
});

test("what cannot be read is shown as it is written", async () => {
  const deep = "> ".repeat(20_000);
  const { container } = render(<Markdown text={deep} />);

  await waitFor(() => expect(container.textContent).toBe(deep));
});
