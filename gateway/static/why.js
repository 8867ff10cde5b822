// Asks GET /workflows/{id}/why every two seconds while the run goes on. No library, no other host.
"use strict";

const EVERY_MS = 2000;
const byId = (id) => document.getElementById(id);
let credential = {}; // never stored
let timer = 0;

const make = (tag, text, parent, name) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  if (parent) parent.append(element);
  return element;
};

const ago = (moment) => {
  if (!moment) return "never";
  const seconds = Math.round((Date.now() - Date.parse(moment)) / 1000);
  return seconds < 0 ? `in ${-seconds} s` : `${seconds} s ago`;
};

const WAITS_FOR = {
  worker: "A worker", turn: "Its turn", time: "The time of its next attempt",
  worker_at_work: "The worker that is at it", redrive: "Somebody to try it again",
  approval: "A person's decision", items: "The runs of its items",
};

const ROWS = [
  ["What would unblock it", (one) => one.unblock],
  ["Step", (one) => one.step_id],
  ["Queue", (one) => one.queue],
  ["Position", (one) => one.position || undefined],
  ["Listeners", (one) => (one.queue ? one.listeners : undefined)],
  ["Last heartbeat", (one) => (one.queue ? ago(one.last_heartbeat) : undefined)],
  ["Attempts", (one) => one.attempts || undefined],
  ["Next attempt", (one) => one.ready_at && ago(one.ready_at)],
  ["Open items", (one) => one.open],
  ["Approval", (one) => one.approval_id],
  ["Expires", (one) => one.expires_at && ago(one.expires_at)],
  ["Last error", (one) => one.error && `${one.error.code}: ${one.error.detail}`],
];

const show = (why) => {
  const found = byId("found");
  found.replaceChildren();
  const head = make("p", undefined, found, "summary");
  make("code", why.status, head);
  head.append(` ${why.summary}`);
  for (const cause of why.causes) {
    const box = make("article", undefined, found);
    make("h2", WAITS_FOR[cause.waiting_for] || cause.waiting_for, box);
    const rows = make("dl", undefined, box);
    for (const [name, value] of ROWS) {
      const text = value(cause);
      if (text === undefined || text === null) continue;
      make("dt", name, rows);
      make("dd", String(text), rows);
    }
  }
  byId("when").textContent = `As of ${new Date().toLocaleTimeString()}.`;
};

const said = async (answer) => {
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  throw new Error(body.detail || `${answer.status} ${answer.statusText}`);
};

const look = async () => {
  clearTimeout(timer);
  const run = byId("run").value.trim();
  if (!run) return;
  const path = `/workflows/${encodeURIComponent(run)}/why`;
  try {
    const answer = await fetch(path, { headers: credential });
    const why = await said(answer);
    show(why);
    if (["pending", "running", "waiting_approval"].includes(why.status)) {
      timer = setTimeout(look, EVERY_MS);
    }
  } catch (error) {
    byId("when").textContent = error.message;
    if (error instanceof TypeError) timer = setTimeout(look, EVERY_MS); // the gateway is away
  }
};

const signIn = async () => {
  const key = byId("key").value.trim();
  if (key) {
    credential = { "X-API-Key": key };
    return;
  }
  const given = { email: byId("email").value.trim(), password: byId("password").value };
  const tenant = byId("tenant").value.trim();
  const answer = await fetch("/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(tenant ? { ...given, tenant } : given),
  });
  credential = { Authorization: `Bearer ${(await said(answer)).access_token}` };
};

byId("run").value = new URLSearchParams(location.search).get("id") || "";
byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  signIn().then(look, (error) => { byId("when").textContent = error.message; });
});
