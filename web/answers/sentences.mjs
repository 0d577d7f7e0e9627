/** What is read of a run's answers: the line of a node of ours, and the sentence of an error of ours. */

const LONG = 300; // letters of a message
const HEAD = /^Troupe(?:, ([^:]{1,40}))?: /;

/** The line that a node's output brings: the one that is for it, or the text of nodes that have no other view. */
export function linesOf({ troupe_line: line, text, images } = {}) {
  const said = line ?? (images ? null : text);
  return Array.isArray(said) ? said.filter((one) => typeof one === "string").join("\n").trim() : "";
}

/**
 * Our sentences in an execution error, without the pack's name; empty where the error is somebody else's. Of many, those
 * at the beginning say what is wrong, and the last one what else helps; the editor's own report has them all.
 */
export function sentenceOf({ node_type: type, exception_message: message } = {}) {
  const text = String(message ?? "").trim();
  if (!HEAD.test(text) && !String(type ?? "").startsWith("Troupe_")) return "";
  const said = text.replace(HEAD, "");
  return shortened(said.charAt(0).toUpperCase() + said.slice(1));
}

function shortened(text) {
  if (text.length <= LONG) return text;
  const sentences = text.split(/(?<=[.!?])\s+(?=\p{Lu})/u);
  const kept = [sentences.shift()];
  const last = sentences.pop() ?? "";
  while (sentences.length && [...kept, sentences[0], last].join(" ").length <= LONG) kept.push(sentences.shift());
  return [...kept, last].join(" ").trim();
}

/** The node that a sentence names, for errors that come up in another one: KSampler is blamed for a patch's. */
export function headOf({ node_type: type, exception_message: message } = {}) {
  return HEAD.exec(String(message ?? "").trim())?.[1] ?? String(type ?? "Troupe").replace("Troupe_", "");
}
