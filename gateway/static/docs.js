// Shows the OpenAPI document and lets a person try an operation. No library, no other host.
"use strict";

const make = (tag, text, parent, name) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  if (parent) parent.append(element);
  return element;
};

const resolve = (spec, schema) =>
  schema && schema.$ref ? spec.components.schemas[schema.$ref.split("/").pop()] : schema || {};

const example = (spec, given, depth = 0) => {
  const schema = resolve(spec, given);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const choice = (schema.anyOf || schema.oneOf || [])[0];
  if (choice) return example(spec, choice, depth);
  if (schema.type === "array") return depth > 4 ? [] : [example(spec, schema.items, depth + 1)];
  if (schema.type === "integer" || schema.type === "number") return schema.minimum || 0;
  if (schema.type === "boolean") return false;
  if (schema.type === "string") return "";
  const wanted = new Set(schema.required || []);
  return Object.fromEntries(
    Object.entries(schema.properties || {})
      .filter(([name]) => depth < 4 && (wanted.size === 0 || wanted.has(name)))
      .map(([name, inner]) => [name, example(spec, inner, depth + 1)]),
  );
};

const send = async (method, path, body, out) => {
  const credential = document.getElementById("credential").value.trim();
  const headers = credential ? { Authorization: `Bearer ${credential}` } : {};
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body || undefined });
  const text = await answer.text();
  let shown = text;
  try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON */ }
  out.textContent = `${answer.status} ${answer.statusText}\n\n${shown.slice(0, 20000)}`;
};

const show = (spec, path, method, operation, parent) => {
  const box = make("details", undefined, parent);
  const head = make("summary", undefined, box);
  make("span", method.toUpperCase(), head, "method");
  make("code", path, head);
  const open = !operation.security;
  const scopes = (operation["x-scopes"] || []).join(" or ");
  make("p", operation.description || operation.summary, box);
  make("p", open ? "No credential needed." : `Scope: ${scopes || "any signed-in caller"}`, box, "muted");
  for (const item of operation.parameters || []) {
    const kind = item.required ? "required" : "optional";
    make("div", `${item.name} (${item.in}, ${kind}) ${item.description || ""}`, box, "muted");
  }
  const address = make("input", undefined, box);
  address.value = path;
  const content = operation.requestBody && operation.requestBody.content["application/json"];
  const body = content ? make("textarea", undefined, box) : null;
  if (body) body.value = JSON.stringify(example(spec, content.schema), null, 2);
  const button = make("button", "Send", box);
  const out = make("pre", "", box);
  button.addEventListener("click", () =>
    send(method.toUpperCase(), address.value, body && body.value, out));
};

fetch("/openapi.json").then((answer) => answer.json()).then((spec) => {
  const main = document.getElementById("operations");
  const sections = new Map();
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const tag = (operation.tags || ["other"])[0];
      if (!sections.has(tag)) {
        make("h2", tag, main);
        sections.set(tag, make("section", undefined, main));
      }
      show(spec, path, method, operation, sections.get(tag));
    }
  }
});
