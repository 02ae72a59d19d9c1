// Draws /openapi.json as a page, with nothing from another host.

const api = await (await fetch("openapi.json")).json();
const groups = new Map();
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, route] of Object.entries(methods)) {
    const tag = route.tags?.[0] ?? "other";
    groups.set(tag, [...(groups.get(tag) ?? []), { path, method, route }]);
  }
}

for (const [tag, routes] of groups) {
  const heading = make("h2", tag);
  document.getElementById("routes").append(heading, ...routes.map(drawRoute));
}

function drawRoute({ path, method, route }) {
  const summary = make("summary");
  summary.append(make("b", method.toUpperCase()), make("code", path), make("span", route.summary));
  const details = make("details");
  details.append(summary);
  if (route.description) details.append(make("p", route.description, "text"));
  for (const parameter of route.parameters ?? []) {
    const kind = parameter.required ? "required" : "optional";
    const line = make("p");
    line.append(make("code", parameter.name), ` in ${parameter.in}, ${kind}`);
    details.append(line);
  }
  const bodies = [["Send", route.requestBody], ...Object.entries(route.responses)];
  for (const [label, body] of bodies) {
    const schema = body?.content?.["application/json"]?.schema;
    if (schema) details.append(make("p", label), make("pre", JSON.stringify(resolve(schema), null, 2)));
  }
  return details;
}

/** Return an example-like shape: property names with their types. */
function resolve(schema, depth = 0) {
  if (depth > 6) return "…";
  if (schema.$ref) return resolve(api.components.schemas[schema.$ref.split("/").pop()], depth + 1);
  if (schema.anyOf) return schema.anyOf.map((one) => resolve(one, depth + 1)).join?.(" | ") ?? "any";
  if (schema.type === "array") return [resolve(schema.items ?? {}, depth + 1)];
  if (schema.properties) {
    const pairs = Object.entries(schema.properties).map(([k, v]) => [k, resolve(v, depth + 1)]);
    return Object.fromEntries(pairs);
  }
  return schema.enum ? schema.enum.join(" | ") : (schema.const ?? schema.type ?? "any");
}

function make(name, text = "", kind = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}
