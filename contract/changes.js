// What has changed in the schema since its release, as docs/schema-changes.md tells it.
//
//   node changes.js write           bring the page up to date
//   node changes.js check           fail where the page is not, or where something breaks clients without leave
//   node changes.js release 1.2.0   give what is unreleased this version, and go on from the schema as it is now
//
// A change that breaks clients needs a line in breaking.json, its path and why: { "ChatSession.title": "…" }.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const file = (path) => new URL(path, import.meta.url);
const SCHEMA = file("../schema.graphql");
const RELEASED = file("released.graphql");
const LEAVE = file("breaking.json");
const PAGE = file("../docs/schema-changes.md");

const UNRELEASED = "## Unreleased";
const KINDS = [
  [CriticalityLevel.Breaking, "Breaking"],
  [CriticalityLevel.Dangerous, "Dangerous"],
  [CriticalityLevel.NonBreaking, "Safe"],
];

const schemaAt = (place) => buildSchema(readFileSync(place, "utf8"));
const isAboutWords = (change) => change.type.includes("DESCRIPTION");
// The use of a directive is told once more by what it does, as a deprecation.
const isToldAlready = (change) => change.type.startsWith("DIRECTIVE_USAGE");

function fail(message) {
  console.error(message);
  process.exit(1);
}

async function changesSinceRelease() {
  const found = await diff(schemaAt(RELEASED), schemaAt(SCHEMA));
  const told = found.filter((change) => !isToldAlready(change));
  const key = (change) => `${change.path} ${change.message}`;
  return told.sort((one, other) => (key(one) < key(other) ? -1 : 1));
}

function section(changes, leave) {
  const lines = [];
  for (const [level, title] of KINDS) {
    const those = changes.filter((change) => change.criticality.level === level && !isAboutWords(change));
    if (those.length === 0) continue;
    lines.push("", `### ${title}`, "");
    for (const { message, path } of those) {
      const why = level === CriticalityLevel.Breaking && leave[path] ? `: ${leave[path]}` : "";
      lines.push(`- ${message.replaceAll(/'([^']*)'/g, "`$1`")}${why}`);
    }
  }
  const words = changes.filter(isAboutWords).length;
  if (words > 0) lines.push("", `${words} ${words === 1 ? "description" : "descriptions"} changed.`);
  return lines.length > 0 ? lines.join("\n").trim() : "Nothing has changed.";
}

/** The page with another text below its heading of what is unreleased. */
function pageWith(text) {
  const page = readFileSync(PAGE, "utf8");
  const begin = page.indexOf(UNRELEASED) + UNRELEASED.length;
  const end = page.indexOf("\n## ", begin);
  const [before, after] = [page.slice(0, begin), page.slice(end)];
  return { before, page, next: `${before}\n\n${text}\n${after}`, after };
}

function check(changes, leave) {
  const breaking = changes.filter((change) => change.criticality.level === CriticalityLevel.Breaking);
  const paths = new Set(breaking.map((change) => change.path));
  const unforeseen = breaking.filter((change) => !leave[change.path]);
  const idle = Object.keys(leave).filter((path) => !paths.has(path));
  if (unforeseen.length > 0) {
    const lines = unforeseen.map((change) => `  ${change.path}: ${change.message}`);
    fail(["the schema breaks clients; mend it, or say why in contract/breaking.json:", ...lines].join("\n"));
  }
  if (idle.length > 0) fail(`contract/breaking.json names what does not break: ${idle.join(", ")}`);
}

const isAbove = (one, other) => {
  const [left, right] = [one, other].map((version) => version.split(".").map(Number));
  const place = left.findIndex((number, index) => number !== right[index]);
  return place >= 0 && left[place] > right[place];
};

/** Throws where the version is not above the last one, or does not tell that clients break. */
function checkVersion(version, after, changes) {
  if (!/^\d+\.\d+\.\d+$/.test(version ?? "")) fail("say which version: make schema-release VERSION=1.2.0");
  const last = /^\n## (\d+\.\d+\.\d+)/.exec(after)?.[1];
  if (last === undefined) fail("the page names no version that was released");
  if (!isAbove(version, last)) fail(`${version} is not above ${last}`);
  const breaks = changes.some((change) => change.criticality.level === CriticalityLevel.Breaking);
  const [major, minor] = version.split(".");
  const [lastMajor, lastMinor] = last.split(".");
  // Before 1.0.0 the second number is the one that tells of breaks.
  if (breaks && major === lastMajor && (major !== "0" || minor === lastMinor)) {
    const place = major === "0" ? "first or second" : "first";
    fail(`clients of ${last} break: ${version} must differ in its ${place} number`);
  }
}

const [command, version] = process.argv.slice(2);
const leave = JSON.parse(readFileSync(LEAVE, "utf8"));
const changes = await changesSinceRelease();
const text = section(changes, leave);
const { before, page, next, after } = pageWith(text);

switch (command) {
  case "write":
    if (next !== page) writeFileSync(PAGE, next);
    break;
  case "check":
    check(changes, leave);
    if (next !== page) fail("docs/schema-changes.md is not up to date: run `make schema`");
    break;
  case "release":
    check(changes, leave);
    checkVersion(version, after, changes);
    writeFileSync(PAGE, `${before}\n\nNothing has changed.\n\n## ${version}\n\n${text}\n${after}`);
    writeFileSync(LEAVE, "{}\n");
    copyFileSync(SCHEMA, RELEASED);
    break;
  default:
    fail("say what to do: write, check or release");
}
