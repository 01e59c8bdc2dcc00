// Shows an AsyncAPI document: each operation, and each message with its fields and an example.

export function showEvents(asyncapi, place) {
  place.append(paragraph(asyncapi.info.description));
  for (const operation of Object.values(asyncapi.operations)) {
    place.append(heading(operation), paragraph(operation.description));
    for (const { $ref } of operation.messages) {
      place.append(message(find(asyncapi, find(asyncapi, { $ref })), asyncapi));
    }
  }
}

function heading(operation) {
  const found = document.createElement("h3");
  found.textContent = operation.summary;
  return found;
}

// A text whose words between backticks are code.
function paragraph(text, tag = "p") {
  const found = document.createElement(tag);
  found.append(...text.split("`").map((part, place) => (place % 2 ? code(part) : part)));
  return found;
}

function code(text) {
  return Object.assign(document.createElement("code"), { textContent: text });
}

function message(told, asyncapi) {
  const shape = find(asyncapi, told.payload);
  const found = document.getElementById("event").content.cloneNode(true);
  found.querySelector(".name").textContent = told.name;
  found.querySelector(".said").append(...paragraph(told.summary).childNodes);
  found.querySelector(".whole").append(...paragraph(shape.description ?? "").childNodes);
  found.querySelector("pre").textContent = JSON.stringify(told.examples[0].payload, null, 2);
  const rows = Object.entries(shape.properties).map(([name, field]) => row(name, find(asyncapi, field), shape));
  found.querySelector("tbody").append(...rows);
  if (rows.length === 0) found.querySelector("table").remove();
  return found;
}

function row(name, field, shape) {
  const required = (shape.required ?? []).includes(name);
  const found = document.createElement("tr");
  for (const text of [required ? name : `${name}?`, kinds(field), field.description ?? ""]) {
    found.append(paragraph(text, "td"));
  }
  return found;
}

function kinds(field) {
  if (field.enum) return field.enum.join(" | ");
  return [field.type].flat().map((kind) => (kind === "string" && field.format) || kind).join(" | ");
}

// The part of the document that a reference names. Anything else is already that part.
function find(asyncapi, { $ref, ...part }) {
  if (!$ref) return part;
  const steps = $ref.slice(2).split("/");
  return steps.reduce((found, step) => found[step.replaceAll("~1", "/")], asyncapi);
}
