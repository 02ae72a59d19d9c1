// What the token may do. What it may not is not offered, by the rules of style.css: parts that need a
// right say so with `data-needs`, and what is said in their place with `data-lacks`.

const ALL = ["ingest", "watch", "ask", "forget"];
let may = new Set(ALL);
let streams = ["*"];

/** Take what the service says of the token. */
export function useRights(said) {
  may = new Set(said.may.includes("admin") ? ALL : said.may);
  streams = said.streams;
  document.body.dataset.without = ALL.filter((right) => !may.has(right)).join(" ");
}

export function mayDo(right) {
  return may.has(right);
}

/** `name`, or where the token is not for a stream of that name, one that it is for. */
export function allowedName(name, kind) {
  if (!streams.length || streams.some((pattern) => fits(name, pattern))) return name;
  return streams[0].replaceAll("*", kind).replaceAll("?", "1");
}

function fits(name, pattern) {
  const expression = pattern.replaceAll("*", "[^]*").replaceAll("?", "[^]");
  return new RegExp(`^${expression}$`).test(name);
}
