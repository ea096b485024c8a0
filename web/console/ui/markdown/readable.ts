/** What is longer is shown as it is written: to read it would hold up the page. */
const MOST_CHARACTERS = 50_000;

/** Each of them may begin a link, which is looked for once more for each (micromark 4): 27,000 take 16 s. */
const MOST_BRACKETS = 2_000;

/** Quotes and lists inside each other on one line, deeper than anybody writes: 20,000 take 13 s. */
const DEEP = /^[ \t]*(?:(?:>|[-+*]|\d{1,9}[.)])[ \t]*){50}/m;

/** Whether the marks of a text can be read without keeping the page waiting, whoever wrote it. */
export function isReadable(text: string): boolean {
  return text.length <= MOST_CHARACTERS && text.split("[").length <= MOST_BRACKETS && !DEEP.test(text);
}
