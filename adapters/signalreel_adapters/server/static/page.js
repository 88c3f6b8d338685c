/**
 * The page: its tabs, its link parameters, and the panels and lists on it.
 *
 * A link may say `?app=live&tab=play&stream=stream1&room=lobby&name=anna&source=test`; what it leaves out is chosen
 * here.
 *
 * @module page
 */

import { Camera } from "./camera.js";
import { MachineList } from "./machines.js";
import { MessageLog } from "./messages.js";
import { ConferencePanel, PeerPanel, PublishPanel } from "./panels.js";
import { PlayPanel } from "./player.js";

const TABS = ["publish", "play", "peer", "conference"];
const COPIED_SHOWN_MS = 1_500;

const parameters = new URLSearchParams(location.search);
const app = parameters.get("app") || "live";

/**
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @returns {Kind}
 */
function byId(id) {
  return /** @type {Kind} */ (document.getElementById(id));
}

/** Where this app's clients connect: the same host and port as the page, `/{app}/websocket`. */
function socketUrl() {
  const url = new URL(`${encodeURIComponent(app)}/websocket`, document.baseURI);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  return url.href;
}

/**
 * A link to this page with a panel ready to use.
 *
 * @param {string} tab
 * @param {string} name
 */
function linkTo(tab, name) {
  const url = new URL(location.pathname, location.href);
  url.search = new URLSearchParams({ app, tab, [tab === "conference" ? "room" : "stream"]: name }).toString();
  return url.href;
}

/** @param {string} chosen */
function selectTab(chosen) {
  for (const name of TABS) {
    const tab = byId(`tab-${name}`);
    const selected = name === chosen;
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
    byId(`panel-${name}`).hidden = !selected;
  }
  byId("camera").hidden = chosen === "play";
}

/**
 * The keys that every list of tabs knows: arrows, Home and End.
 *
 * @param {KeyboardEvent} event
 */
function moveAmongTabs(event) {
  const current = TABS.findIndex((name) => byId(`tab-${name}`) === event.target);
  const steps = new Map([
    ["ArrowRight", current + 1],
    ["ArrowLeft", current - 1 + TABS.length],
    ["Home", 0],
    ["End", TABS.length - 1],
  ]);
  const next = steps.get(event.key);
  if (next === undefined) return;
  event.preventDefault();
  const name = TABS[next % TABS.length];
  selectTab(name);
  byId(`tab-${name}`).focus();
}

/**
 * Keep a panel's link up to date with what is typed in it.
 *
 * @param {string} panel
 * @param {string} tab the panel that the link opens
 */
function share(panel, tab) {
  const root = byId(`panel-${panel}`);
  const input = /** @type {HTMLInputElement} */ (root.querySelector('input[name="stream"]'));
  const anchor = /** @type {HTMLAnchorElement} */ (root.querySelector(".share a"));
  const button = /** @type {HTMLButtonElement} */ (root.querySelector('[data-action="copy"]'));
  const update = () => {
    anchor.href = linkTo(tab, input.value.trim());
    anchor.textContent = anchor.href;
  };
  input.addEventListener("input", update);
  update();
  // Only pages from https or localhost may write to the clipboard; elsewhere the link itself has to do.
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(anchor.href);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), COPIED_SHOWN_MS);
  });
}

function fillIn() {
  byId("app").setAttribute("value", app);
  const stream = parameters.get("stream");
  // A stream has one publisher, so two tabs should not begin with one name; a call is one that others join by its name.
  const suffix = Math.random().toString(36).slice(2, 6);
  byId("publish-stream").setAttribute("value", stream || `stream-${suffix}`);
  byId("play-stream").setAttribute("value", stream || "");
  byId("peer-stream").setAttribute("value", stream || "call1");
  byId("conference-room").setAttribute("value", parameters.get("room") || "lobby");
  byId("conference-name").setAttribute("value", parameters.get("name") || "");
  const source = document.querySelector(
    `input[name="source"][value="${CSS.escape(parameters.get("source") ?? "test")}"]`,
  );
  if (source instanceof HTMLInputElement) source.checked = true;
}

/** @param {"open" | "lost" | "refused"} link */
function showLink(link) {
  const line = byId("link");
  line.textContent = link === "open" ? "Connected" : "Server not reached; trying again";
  line.dataset.state = link === "open" ? "live" : "waiting";
  // A browser elsewhere can call all the same.
  line.hidden = link === "refused";
  if (link === "refused")
    byId("machines-empty").textContent = "The server shows its machines only to its operator, or to browsers on its own machine where no key is set.";
}

function begin() {
  fillIn();
  const messages = new MessageLog(byId("messages"), byId("messages-empty"), byId("messages-routine"));
  byId("messages-clear").addEventListener("click", () => messages.clear());

  const machines = new MachineList(app, {
    list: byId("machines"),
    empty: byId("machines-empty"),
    refusals: byId("refusals"),
    count: byId("machines-count"),
  });
  byId("machines-clear").addEventListener("click", () => machines.clear());
  machines.follow(new URL("transitions", document.baseURI), showLink);

  const page = { url: socketUrl, camera: new Camera(byId("camera")), messages, linkTo };
  new PublishPanel(byId("panel-publish"), "publish", page);
  new PlayPanel(byId("panel-play"), "play", page);
  new PeerPanel(byId("panel-peer"), "peer", page);
  new ConferencePanel(byId("panel-conference"), "conference", page);
  share("publish", "play");
  share("peer", "peer");
  share("conference", "conference");

  const tab = parameters.get("tab") ?? "";
  selectTab(TABS.includes(tab) ? tab : "publish");
  for (const name of TABS) {
    byId(`tab-${name}`).addEventListener("click", () => selectTab(name));
    byId(`tab-${name}`).addEventListener("keydown", moveAmongTabs);
  }
  byId("app-form").addEventListener("submit", (event) => {
    event.preventDefault();
    parameters.set("app", /** @type {HTMLInputElement} */ (byId("app")).value.trim());
    location.search = parameters.toString();
  });
}

begin();
