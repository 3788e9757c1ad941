// The page's words, from the desk's one catalogue. Owns the language; knows no incident.

let words = {};
export let language = "zh";
export let languages = [];
export let outcomes = [];

/** Load the words of a language, the desk's own when none is given. */
export async function loadWords(wanted) {
  const answer = await fetch(`/api/words?lang=${encodeURIComponent(wanted ?? "")}`);
  const said = await answer.json();
  ({ words, lang: language, languages, outcomes } = said);
  document.documentElement.lang = language === "zh" ? "zh-CN" : language;
}

/** The word of a key, with {names} filled in; the key itself shows what is missing. */
export function word(key, names = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => names[name] ?? whole);
}

/** Whether the catalogue has a word for this: kinds of a newer gateway may have none. */
export function has(key) {
  return key in words;
}
