// The page for authors of clients: Swagger UI shows REST, and events.js shows the sockets. Nothing comes from elsewhere.

import { showEvents } from "./events.js";
import { nameAll } from "./names.js";

const place = document.getElementById("rest");
nameAll(place);
window.SwaggerUIBundle({
  url: "/openapi.json",
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null, // it would send the document to another site
  persistAuthorization: false, // a token is forgotten when the page closes
  tryItOutEnabled: true,
});

const answer = await fetch("/asyncapi.json");
showEvents(await answer.json(), document.getElementById("events"));
