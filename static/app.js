/* ALMA in the browser. Everything works without this file; with it, pages are live.
   Sections: morph · guard · live · time · log · errors · controls · forms · choosing · console · conversation · causes · playground · keys. The protocol is written down in the style guide. */
(() => {
  "use strict";

  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const on = (type, listener) => document.addEventListener(type, listener);
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  root.classList.add("js");

  /* -- morph: replace a part in place; nodes, focus, scroll, open details and typed text survive -- */
  const KEPT = { DETAILS: "open", DIALOG: "open" };
  const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset.key || "" : "");
  const isField = (node) => /^(INPUT|TEXTAREA|SELECT)$/.test(node.nodeName);

  function isEdited(field) {
    if (field.type === "hidden") return false;
    if (field.nodeName === "SELECT") {
      const wanted = Array.from(field.options).filter((option) => option.defaultSelected);
      return wanted.length ? wanted.some((option) => !option.selected) : field.selectedIndex > 0;
    }
    return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  }

  function morphAttributes(from, to) {
    for (const { name } of Array.from(from.attributes)) {
      if (!to.hasAttribute(name) && KEPT[from.nodeName] !== name) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value && KEPT[from.nodeName] !== name) from.setAttribute(name, value);
    }
  }

  function morphChildren(from, to) {
    const own = new Map(Array.from(from.children, (child) => [keyOf(child), child]));
    const used = new Set();
    const wanted = new Set(Array.from(to.children, keyOf));
    let here = from.firstChild;
    for (const next of Array.from(to.childNodes)) {
      const key = keyOf(next);
      const match = key && own.get(key);
      while (here && (used.has(here) || (here !== match && keyOf(here) && wanted.has(keyOf(here))))) here = here.nextSibling;
      if (match) {
        if (match !== here) from.insertBefore(match, here);
        used.add(morphNode(match, next));
      } else if (!key && here && !keyOf(here) && here.nodeName === next.nodeName) {
        used.add(morphNode(here, next));
      } else {
        used.add(from.insertBefore(next, here));
      }
      if (here && !here.isConnected) here = null;
    }
    for (const child of Array.from(from.childNodes)) {
      if (!used.has(child) && !(child.dataset && "js" in child.dataset)) child.remove();
    }
  }

  function morphNode(from, to) {
    if (from.nodeName !== to.nodeName || keyOf(from) !== keyOf(to)) {
      from.replaceWith(to);
      return to;
    }
    if (from.nodeType !== 1) {
      if (from.data !== to.data) from.data = to.data;
      return from;
    }
    if (isField(from) && (isEdited(from) || from === document.activeElement)) return from;
    if (from.hasAttribute("data-keep") || from.isEqualNode(to)) return from;
    morphAttributes(from, to);
    morphChildren(from, to);
    if (isField(from) && from.type !== "file") {
      from.value = to.value;
      from.checked = to.checked;
    }
    return from;
  }

  let isNudged = false;   // whether the answer that is swapped in was asked for by a nudge, not by the person
  function morph(target, fragment) {
    const roots = Array.from(fragment.children);
    const next = roots.length === 1 ? roots[0] : roots.find((part) => part.id && part.id === target.id);
    const typed = isNudged ? $$("textarea[id], input[id]:not([type=hidden])", target).filter(isEdited) : [];
    const parts = next ? [morphNode(target, next)] : (target.replaceWith(...roots), roots);
    for (const field of typed) carryOver(field);
    return parts;
  }

  function carryOver(field) {
    const next = !field.isConnected && document.getElementById(field.id);
    if (!next || isEdited(next)) return;
    next.value = field.value;
    next.checked = field.checked;
  }

  if (window.htmx) {
    htmx.defineExtension("alma", {
      isInlineSwap: (style) => style === "morph",
      handleSwap: (style, target, fragment) => (style === "morph" ? morph(target, fragment) : false),
    });
  }

  /* -- guard: what somebody types in, has focused, selected or opened is not replaced under them -- */
  const isCarried = (node) => Boolean(node.closest("form[data-stream]"));   // what is typed there stays, whatever is said meanwhile
  function isBusy(part) {
    const active = document.activeElement;
    if (active && active !== document.body && part.contains(active) && !isCarried(active)) {
      if (active.isContentEditable || (isField(active) && active.type !== "checkbox")) return true;
      if (active.nodeName === "BUTTON" && active.matches(":focus-visible")) return true;
    }
    if ($("dialog[open], .menu[open]", part) || $$("input, textarea, select", part).some((field) => isEdited(field) && !isCarried(field))) return true;
    const selection = getSelection();
    return Boolean(selection && !selection.isCollapsed && part.contains(selection.anchorNode));
  }

  /* -- live: nudges say that something changed; parts re-fetch themselves ------------------------ */
  const GAP = 250;
  const POLL = 10000;
  const live = { socket: null, failures: 0, opened: 0, topics: "", retryAt: 0, timer: 0 };
  const refreshing = new Map();
  const waiting = new Map();
  const parts = () => $$("[data-live]");
  const topicsOf = (part) => part.dataset.live.split(/\s+/).filter(Boolean);
  const partKey = (part) => part.id || part.getAttribute("hx-get") || part.dataset.live;
  const byClock = (detail) => !detail.requestConfig?.triggeringEvent && /\bevery\b/.test(detail.elt?.getAttribute?.("hx-trigger"));
  const byNudge = (detail) => byClock(detail) || detail.requestConfig?.triggeringEvent?.type === "alma:changed";   // nobody asked for it by hand
  // a part that was filtered meanwhile asks for something else now: what it asked for before is an answer to nobody
  const isOutrun = ({ elt, path }) => elt && "live" in elt.dataset && path !== elt.getAttribute("hx-get");

  // what nobody sees is asked for when it is unfolded
  const isFolded = (part) => Boolean(!part.closest("summary") && part.closest("details:not([open])"));
  document.addEventListener("toggle", ({ target }) => {
    if (target.open) parts().filter((part) => target.contains(part) && !part.closest("summary") && !isFolded(part)).forEach((part) => refresh(part, { count: 0 }));
  }, true);

  function refresh(part, { now = false, count = 1 } = {}) {
    const key = partKey(part);
    const state = refreshing.get(key) || { last: 0, timer: 0 };
    refreshing.set(key, state);
    if (state.timer) return;
    state.timer = setTimeout(() => {
      state.timer = 0;
      const current = (part.id && document.getElementById(part.id)) || part;
      if (!current.isConnected || isFolded(current)) return;
      if (!now && ("livePill" in current.dataset || isBusy(current))) return defer(current, count);
      state.last = Date.now();
      current.dispatchEvent(new CustomEvent("alma:changed", { detail: { now } }));
    }, Math.max(0, state.last + (Number(part.dataset.liveGap) || GAP) - Date.now()));
  }

  function defer(part, count = 1) {
    const held = waiting.get(partKey(part)) || { part, count: 0 };
    held.count += count;
    waiting.set(partKey(part), held);
    showPill();
  }

  function showPill() {
    const count = Array.from(waiting.values()).reduce((sum, held) => sum + held.count, 0);
    let pill = $("#live-pill");
    if (!count) return pill?.remove();
    if (!pill) {
      pill = make("button", { id: "live-pill", className: "pill", type: "button" });
      pill.addEventListener("click", () => release(true));
      document.body.append(pill);
    }
    pill.textContent = `${count} new · show`;
  }

  function release(all) {
    for (const [key, { part }] of Array.from(waiting)) {
      const current = (part.id && document.getElementById(part.id)) || part;
      if (!all && current.isConnected && ("livePill" in current.dataset || isBusy(current))) continue;
      waiting.delete(key);
      if (current.isConnected) refresh(current, { now: all });
    }
    showPill();
  }

  function setLive(state, words) {
    const dot = $("#live");
    if (!dot) return;
    dot.hidden = state === "static";
    if (dot.dataset.state !== state) say(words);
    dot.dataset.state = state;
    dot.title = words;
    $(".live-text", dot).textContent = { live: "Live", reconnecting: "Reconnecting", polling: "Polling" }[state] || "";
  }

  let said = 0;
  function say(words) {
    clearTimeout(said);
    said = setTimeout(() => { const region = $("#live-text"); if (region) region.textContent = words; }, 1500);
  }

  function watch() {
    const topics = Array.from(new Set(parts().flatMap(topicsOf))).sort();
    if (!topics.length && !live.socket) return setLive("static", "");
    if (!live.socket && !live.timer) return connect();
    if (live.socket?.readyState !== WebSocket.OPEN || topics.join(" ") === live.topics) return;
    live.topics = topics.join(" ");
    live.socket.send(JSON.stringify({ action: "watch", topics }));
  }

  function connect() {
    clearTimeout(live.timer);
    live.timer = 0;
    if (!parts().length || "still" in document.body.dataset) return setLive("static", "");   // nobody is told there
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/pages`);
    live.socket = socket;
    socket.onopen = () => {
      live.opened = Date.now();
      live.topics = "";
      watch();
      setLive("live", "Live: changes appear as they happen");
      parts().forEach((part) => refresh(part, { count: 0 }));   // what changed between rendering and watching
    };
    socket.onmessage = (event) => hear(event.data);
    socket.onclose = () => { if (live.socket === socket) lost(); };
  }

  function hear(text) {
    let message;
    try { message = JSON.parse(text); } catch (error) { if (error instanceof SyntaxError) return; throw error; }
    if (message.type !== "changed") return;
    live.failures = 0;
    const isMeant = (topic) => topic === message.what || (topic.endsWith(":*") && message.what.startsWith(topic.slice(0, -1)));
    parts().filter((part) => topicsOf(part).some(isMeant)).forEach((part) => refresh(part));
  }

  function lost() {
    live.socket = null;
    live.failures = Date.now() - live.opened > 5000 && live.opened ? 1 : live.failures + 1;
    live.opened = 0;
    const delay = Math.min(30000, 500 * 2 ** live.failures) * (0.5 + Math.random());
    live.retryAt = Date.now() + delay;
    live.timer = setTimeout(connect, delay);
    showLost();
  }

  function showLost() {
    if (live.socket || !live.retryAt) return;
    const seconds = Math.max(1, Math.ceil((live.retryAt - Date.now()) / 1000));
    if (live.failures > 1) setLive("polling", `Connection lost: asking every 10 seconds, next attempt in ${seconds} s`);
    else setLive("reconnecting", `Connection lost: reconnecting in ${seconds} s`);
  }

  function poll() {
    if (live.failures > 1 && !live.opened && !document.hidden) parts().forEach((part) => refresh(part, { count: 0 }));
  }

  const hurry = () => { if (!live.socket && live.timer && !document.hidden) connect(); };
  addEventListener("online", hurry);
  on("visibilitychange", hurry);
  setInterval(() => { if (waiting.size) release(false); }, 500);
  setInterval(poll, POLL);

  /* -- time: durations tick, distances stay fresh; the server's clock counts --------------------- */
  const skew = Date.parse(document.body.dataset.now || "") - Date.now() || 0;
  const clock = () => Date.now() + skew;
  const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function durationOf(seconds) {
    let left = Math.max(0, Math.floor(seconds));
    const said = [];
    for (const [length, unit] of SPANS) {
      const count = Math.floor(left / length);
      left %= length;
      if (count || (unit === "s" && !said.length)) said.push(`${count}\u00a0${unit}`);
      else if (said.length) break;
    }
    return said.slice(0, 2).join(" ");
  }

  function agoOf(seconds) {
    const far = Math.abs(seconds);
    if (far < 45) return seconds >= 0 ? "just now" : "in a moment";
    for (const [length, unit, most] of [[60, "min", 60], [3600, "h", 24], [86400, "d", 30]]) {
      const count = Math.max(1, Math.round(far / length));
      if (count < most) return seconds > 0 ? `${count}\u00a0${unit} ago` : `in ${count}\u00a0${unit}`;
    }
    return "";
  }

  function tick() {
    for (const node of $$("time[data-since]")) {
      const words = durationOf((clock() - Date.parse(node.dataset.since)) / 1000);
      if (node.textContent !== words) node.textContent = words;
    }
    showLost();
  }

  function age() {
    for (const node of $$("time[data-relative]")) {
      const words = agoOf((clock() - Date.parse(node.dateTime)) / 1000);
      if (words && node.textContent !== words) node.textContent = words;
    }
  }
  setInterval(tick, 1000);
  setInterval(age, 20000);

  /* -- log: follows its end until somebody scrolls up -------------------------------------------- */
  function followLog(log) {
    const body = $(".log-body", log);
    if (!body || log.almaLog) return;
    const state = (log.almaLog = { follow: log.dataset.log === "follow", missed: 0 });
    const pill = make("button", { className: "pill log-pill", type: "button", hidden: true });
    pill.dataset.js = "";
    log.append(pill);
    const show = () => {
      pill.hidden = !state.missed;
      pill.textContent = `${state.missed} new ${state.missed === 1 ? "line" : "lines"}`;
      $("[data-log-follow]", log)?.setAttribute("aria-pressed", String(state.follow));
    };
    const toEnd = () => { state.follow = true; state.missed = 0; body.scrollTop = body.scrollHeight; show(); };
    body.addEventListener("scroll", () => {
      state.follow = body.scrollHeight - body.scrollTop - body.clientHeight < 24;
      if (state.follow) state.missed = 0;
      show();
    });
    pill.addEventListener("click", toEnd);
    log.addEventListener("click", (event) => {
      if (!event.target.closest("[data-log-follow]")) return;
      if (state.follow) { state.follow = false; show(); } else toEnd();
    });
    new MutationObserver((changes) => {
      const added = changes.flatMap((change) => Array.from(change.addedNodes)).filter((node) => node.nodeType === 1);
      const most = Number(log.dataset.logMost);   // a log that never ends keeps its last lines here
      if (most) $$(".log-line", body).slice(0, -most).forEach((line) => line.remove());
      if (state.follow) body.scrollTop = body.scrollHeight;
      else state.missed += added.filter((node) => node.matches(".log-line")).length;
      show();
    }).observe(body, { childList: true, subtree: true });
    if (state.follow) toEnd();
  }

  /* -- errors: stay until dismissed or until something goes through, with the id that support asks for ---------------------------- */
  function panel(title, text, requestId) {
    const template = $("#notice-template");
    if (!template) return "";
    const box = template.content.cloneNode(true);
    $('[data-slot="title"]', box).textContent = title;
    $('[data-slot="text"]', box).textContent = text;
    $('[data-slot="request"]', box).textContent = requestId ? `Request ${requestId}` : "";
    $("[data-copy-text]", box).dataset.copyText = `${title} ${text} ${requestId || ""}`.trim();
    return make("div", {}).appendChild(box.firstElementChild).outerHTML;
  }

  function showError(title, text) {
    const notice = $("#notice");
    if (notice) notice.innerHTML = panel(title, text, "");
  }

  on("htmx:beforeSwap", (event) => {
    const { detail } = event;
    const { xhr } = detail;
    isNudged = byNudge(detail);
    const login = document.body.dataset.login;
    if (login && xhr.responseURL && new URL(xhr.responseURL).pathname === login) {
      detail.shouldSwap = false;
      showError("You are signed out.", "Sign in again in another tab, then repeat what you did: nothing here is lost.");
      $("#notice .notice-meta")?.prepend(make("a", { href: login, target: "_blank", textContent: "Sign in" }));
      return undefined;
    }
    const asked = detail.requestConfig || {};
    if (isOutrun(asked)) { detail.shouldSwap = false; refresh(asked.elt, { count: 0 }); return undefined; }
    if (xhr.status < 400) {
      if (byClock(detail) && isBusy(detail.target)) { detail.shouldSwap = false; return undefined; }   // the clock comes again
      if (byNudge(detail) && !detail.requestConfig.triggeringEvent?.detail.now && isBusy(detail.target)) { detail.shouldSwap = false; defer(detail.elt); }
      if (!byNudge(detail)) $('#notice [data-panel="error"]')?.remove();   // what had been refused went through now
      return undefined;
    }
    if (byNudge(detail)) { detail.shouldSwap = false; return undefined; }
    const isPanel = detail.serverResponse.includes('data-panel="error"') && !/^\s*<!doctype/i.test(detail.serverResponse);
    if (xhr.status === 422 && !isPanel) return undefined;
    detail.target = $("#notice");
    detail.swapOverride = "innerHTML";
    if (!isPanel) {
      const words = { 403: "You may not do this.", 404: "It is no longer there.", 409: "Somebody else changed it; reload the page." };
      detail.serverResponse = panel(words[xhr.status] || `The server answered ${xhr.status}.`, "Nothing was changed on this page.", xhr.getResponseHeader("X-Request-ID"));
    }
    return undefined;
  });
  for (const [type, title] of [["htmx:sendError", "The server cannot be reached."], ["htmx:timeout", "The server took too long to answer."]]) {
    on(type, (event) => { if (!byNudge(event.detail)) showError(title, "Check your connection and try again."); });
  }

  /* -- controls ------------------------------------------------------------------------------------ */
  function setTheme(choice) {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    document.cookie = `theme=${choice};path=/;max-age=31536000;samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
    showTheme();
  }

  function showTheme() {
    const choice = root.dataset.theme || "system";
    for (const button of $$("[data-set-theme]")) button.setAttribute("aria-pressed", String(button.dataset.setTheme === choice));
  }

  async function copy(button) {
    const source = button.dataset.copy && $(button.dataset.copy);
    const text = source ? source.value ?? source.textContent : button.dataset.copyText || "";
    if (navigator.clipboard && isSecureContext) await navigator.clipboard.writeText(text);
    else copyByHand(text);
    const label = $("span", button) || button;
    const before = label.textContent;
    if (button.classList.contains("copied")) return;
    say("Copied");
    label.textContent = "Copied";
    button.classList.add("copied");
    setTimeout(() => { label.textContent = before; button.classList.remove("copied"); }, 1600);
  }

  function copyByHand(text) {
    const field = make("textarea", { value: text, className: "sr" });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  function append(field, text) {
    field.value += `${field.value && !field.value.endsWith("\n") ? "\n" : ""}${text}`;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function dismiss(button) {
    const box = button.closest("[data-dismissible]");
    const list = box?.parentElement;
    box?.remove();
    if (list?.classList.contains("notices") && !list.children.length) list.remove();
  }

  on("click", (event) => {
    const target = event.target.closest("button, a, summary, [data-copy]");
    for (const menu of $$(".menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    if (!target) return;
    if (target.getAttribute("aria-disabled") === "true") event.preventDefault();
    else if (target.dataset.setTheme) setTheme(target.dataset.setTheme);
    else if ("copy" in target.dataset || "copyText" in target.dataset) copy(target);
    else if ("dismiss" in target.dataset) dismiss(target);
    else if (target.dataset.append) append($(target.dataset.append), target.dataset.appendText);
    else if (target.dataset.dialog) openDialog($(target.dataset.dialog), target);
    else if ("close" in target.dataset) target.closest("dialog")?.close();
  });

  function openDialog(dialog, opener) {
    for (const menu of $$(".menu[open]")) menu.open = false;
    if (!dialog?.showModal) return;
    dialog.showModal();
    dialog.addEventListener("close", () => opener?.focus(), { once: true });
  }

  function numberLines(editor) {
    const area = $("textarea", editor);
    if (!area || $(".editor-lines", editor)) return;
    const gutter = make("div", { className: "editor-lines", ariaHidden: "true" });
    gutter.dataset.js = "";
    const wrong = new Set((editor.dataset.errorLines || "").split(",").map(Number));
    const draw = () => {
      const numbers = area.value.split("\n").map((line, index) => index + 1);
      gutter.replaceChildren(...numbers.flatMap((n) => [wrong.has(n) ? make("b", { textContent: n }) : String(n), "\n"]));
      gutter.scrollTop = area.scrollTop;
    };
    area.addEventListener("input", draw);
    area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
    editor.prepend(gutter);
    draw();
  }

  /* -- forms: the token is of now, and what was typed comes back when a session ended meanwhile -------- */
  const tokenNow = () => document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/)?.[1];
  on("htmx:configRequest", ({ detail }) => {
    const token = tokenNow();
    if (!token) return;
    detail.headers["X-CSRFToken"] = token;
    if (detail.parameters.csrfmiddlewaretoken) detail.parameters.csrfmiddlewaretoken = token;
  });
  on("submit", ({ target }) => {
    const token = $("input[name=csrfmiddlewaretoken]", target);
    if (token && tokenNow()) token.value = tokenNow();
    if (target.matches("form[data-guard]:not([hx-post], [data-stream])")) keepDraft(target);
  });

  const isKept = (field) => isField(field) && field.name && !["hidden", "password", "file"].includes(field.type);
  function keepDraft(form) {
    const fields = Array.from(form.elements).filter(isKept).map(({ name, value, checked }) => ({ name, value, checked }));
    sessionStorage.setItem("alma-draft", JSON.stringify({ at: location.pathname, form: form.getAttribute("action"), fields }));
  }

  function takeDraft() {
    const draft = JSON.parse(sessionStorage.getItem("alma-draft") || "null");
    if (!draft || location.pathname === document.body.dataset.login || $("input[type=password]")) return;
    sessionStorage.removeItem("alma-draft");
    const login = document.body.dataset.login;
    const cameFromLogin = document.referrer && new URL(document.referrer).pathname === login;
    const form = $$("form[data-guard]").find((one) => one.getAttribute("action") === draft.form);
    if (!cameFromLogin || draft.at !== location.pathname || !form) return;
    for (const { name, value, checked } of draft.fields) giveBack(form, name, value, checked);
    $("#notice").append(make("div", { className: "notice", textContent: "You had been signed out. What you typed is here again; it was not sent." }));
  }

  function giveBack(form, name, value, checked) {
    const field = Array.from(form.elements).find((one) => one.name === name && isKept(one) && (!/radio|checkbox/.test(one.type) || one.value === value));
    if (!field) return;
    if (/radio|checkbox/.test(field.type)) field.checked = checked;
    else field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  let isLeaving = false;
  on("submit", (event) => { if (event.target.matches("form[data-guard]:not([hx-post], [data-stream])")) isLeaving = true; });
  on("reset", () => setTimeout(() => release(false)));
  addEventListener("beforeunload", (event) => {
    const isEditedForm = (form) => Array.from(form.elements).some((field) => isField(field) && isEdited(field));
    if (!isLeaving && $$("form[data-guard]").some(isEditedForm)) event.preventDefault();
  });
  on("change", (event) => {
    if ("autosubmit" in event.target.dataset) event.target.form.requestSubmit();
    if ("checkAll" in event.target.dataset) checkAll(event.target);
    if ("shortcutsSwitch" in event.target.dataset) localStorage.setItem("alma-shortcuts", event.target.checked ? "on" : "off");
  });

  function checkAll(box) {
    for (const one of $$(`input[type=checkbox][name="${box.dataset.checkAll}"]:enabled`, box.form || document)) one.checked = box.checked;
  }

  /* -- choosing: what is chosen in a list stays so while one pages, sorts and searches, until it is done or cleared -- */
  const chosenKey = (list) => `alma-chosen:${list}`;
  const chosenIn = (form) => new Set(JSON.parse(sessionStorage.getItem(chosenKey(form.dataset.chosen)) || "[]"));
  const boxesOf = (form) => $$('input[type=checkbox][name="vm"]', form);

  function noteChosen(form) {
    const chosen = chosenIn(form);
    for (const box of boxesOf(form)) chosen[box.checked ? "add" : "delete"](box.value);
    keepChosen(form, chosen);
  }

  function showChosen(form) {
    const chosen = chosenIn(form);
    for (const box of boxesOf(form)) {
      if (box.disabled) chosen.delete(box.value);   // beside it stands why
      box.checked = chosen.has(box.value);
    }
    keepChosen(form, chosen);
  }

  function keepChosen(form, chosen) {
    sessionStorage.setItem(chosenKey(form.dataset.chosen), JSON.stringify([...chosen]));
    const here = new Set(boxesOf(form).map((box) => box.value));
    const away = [...chosen].filter((value) => !here.has(value));
    for (const field of $$("input[data-js]", form)) field.remove();
    for (const value of away) {
      const field = make("input", { type: "hidden", name: "vm", value });
      field.dataset.js = "";
      form.append(field);
    }
    const more = away.length ? `, ${away.length} of them not on this page` : "";
    const count = $(".bulk-count", form);
    if (count) count.textContent = chosen.size ? `${chosen.size} chosen${more}` : "";
  }

  on("change", ({ target }) => { const form = target.form?.closest("[data-chosen]"); if (form) noteChosen(form); });
  on("reset", ({ target }) => {
    if (!("chosen" in target.dataset)) return;
    sessionStorage.removeItem(chosenKey(target.dataset.chosen));
    setTimeout(() => showChosen(target));
  });

  const TITLE = document.title;
  const MARKS = { running: "◐ ", failed: "✕ ", completed: "✓ " };
  function dress() {
    $$("[data-log]").forEach(followLog);
    $$("[data-editor]").forEach(numberLines);
    $$("form[data-chosen]").forEach(showChosen);
    for (const done of $$("[data-chosen-done]")) sessionStorage.removeItem(chosenKey(done.dataset.chosenDone));
    mark($(".value:hover") || $(".value:focus"));   // what was said may have come anew
    const state = $("[data-page-state]")?.dataset.pageState;
    if (state) document.title = (MARKS[state] || "") + TITLE;
    tick();
    watch();
  }

  /* -- console: the screen of a machine, through a socket of ours; its viewer is loaded where there is one -- */
  async function openConsole(stage) {
    const say = (words) => { $("[data-console-state]").textContent = words; };
    const { default: Viewer } = await import(stage.dataset.viewer);
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/console`);
    socket.onopen = () => socket.send(JSON.stringify({ action: "open", vm: Number(stage.dataset.console) }));
    socket.onclose = () => say("The connection broke. Load the page again to look anew.");
    socket.onmessage = (event) => {
      const told = JSON.parse(event.data);
      if (told.type === "ready") return show(new Viewer(stage, socket, { credentials: { password: told.password } }), say);
      socket.onclose = null;
      socket.close();
      return say(told.message);
    };
  }

  function show(viewer, say) {
    viewer.scaleViewport = true;
    viewer.addEventListener("connect", () => { say("Connected"); viewer.focus(); });
    viewer.addEventListener("securityfailure", () => say("The machine’s screen refused the ticket."));
    viewer.addEventListener("disconnect", (event) => say(event.detail.clean ? "Closed" : "The connection broke. Load the page again to look anew."));
    $("[data-console-keys]").onclick = () => { viewer.sendCtrlAltDel(); viewer.focus(); };
  }

  $$("[data-console]").forEach((stage) => openConsole(stage));

  /* -- conversation: what is said is answered as it comes, the draft fills beside it, and it can be stopped -- */
  async function eventsOf(body, heard) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const events = rest.split(/\r?\n\r?\n/);
      rest = events.pop();
      for (const line of events.flatMap((event) => event.split(/\r?\n/))) await heard(line);
    }
  }

  async function refusalOf(response) {
    if (response.redirected) return "You are signed out: sign in again in another tab.";
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.querySelector(".notice-title, h1")?.textContent.trim() || `The server answered ${response.status}.`;
  }

  const isStream = (response) => (response.headers.get("Content-Type") || "").startsWith("text/event-stream");
  const painted = () => Promise.race([new Promise(requestAnimationFrame), new Promise((done) => setTimeout(done, 60))]);
  const saidFor = (path) => `alma-said:${path}`;

  function post(form, words, signal) {
    const body = new URLSearchParams({ csrfmiddlewaretoken: tokenNow() || form.csrfmiddlewaretoken.value, words });
    return fetch(form.action, { method: "POST", body, signal, headers: { Accept: "text/event-stream", "HX-Request": "true" } });
  }

  async function begin(form, field) {   // the conversation is made here; what was said is said on its own page
    try {
      const response = await post(form, field.value);
      const path = response.headers.get("Location");
      if (response.status !== 201 || !path) return showError(await refusalOf(response), "What you wrote is still here.");
      sessionStorage.setItem(saidFor(path), field.value);
      field.value = "";
      return location.assign(path);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return showError("The server cannot be reached.", "What you wrote is still here. Check your connection and try again.");
    }
  }

  let talking = null;   // what is being answered: its AbortController
  async function converse(form, words) {
    if (talking || !words.trim()) return;
    const part = $("#conversation"), list = $("#said"), field = $("#id_words"), draft = $("#draft");
    const blank = $("#said-blank").content.cloneNode(true);
    const [asked, reply] = blank.querySelectorAll("li");
    const [text, told] = [$(".said-words", reply), $('[data-slot="told"]', reply)];
    [asked.id, reply.id] = [1, 2].map((step) => `message-${Number(list.dataset.count) + step}`);
    $(".said-words", asked).textContent = words;
    $('[data-key="none"]', list)?.remove();
    list.append(blank);
    part.dataset.keep = "";   // what others change meanwhile is shown when the answer is there
    reply.scrollIntoView({ block: "nearest" });
    if (field.value === words) field.value = "";
    talking = new AbortController();
    showTalking(true);
    const run = { error: "", isWhole: false };
    const take = {
      thinking: (event) => { told.textContent = event.content; },
      progress: (event) => { told.textContent = event.content; },
      token: (event) => { told.textContent = ""; text.textContent += event.content; },
      draft: async (event) => { fill(draft, event.html); await painted(); },
      error: (event) => { run.error = event.content; },
      complete: () => { run.isWhole = true; },
    };
    try {
      const response = await post(form, words, talking.signal);
      if (!isStream(response)) run.error = await refusalOf(response);
      else await eventsOf(response.body, (line) => { const event = line.startsWith("data:") && JSON.parse(line.slice(5)); return event && take[event.type]?.(event); });
    } catch (error) {
      if (error.name === "AbortError") run.isStopped = true;
      else if (error instanceof TypeError) run.error = "The server cannot be reached.";
      else throw error;
    }
    talking = null;
    showTalking(false);
    reply.classList.remove("is-coming");
    told.textContent = "";
    delete part.dataset.keep;
    if (!run.isWhole && !run.isStopped) run.error = run.error || "The answer broke off.";
    settle(run, words, field, [asked, reply]);
  }

  function settle(run, words, field, turns) {
    if (run.isWhole) $('#notice [data-panel="error"]')?.remove();
    else {
      turns.forEach((turn) => turn.remove());
      field.value = field.value || words;   // it can be said again as it was
    }
    if (run.error) showError(run.error, "What you wrote is still here.");
    if (run.isStopped) say("Stopped");
    field.focus({ preventScroll: true });
    refresh($("#conversation"), { now: true, count: 0 });
  }

  function fill(draft, html) {
    const next = new DOMParser().parseFromString(html, "text/html");
    morphNode(draft, document.adoptNode(next.getElementById("draft")));
  }

  function showTalking(isRunning) {
    for (const button of $$("#say [data-stop]")) button.hidden = !isRunning;
    for (const button of $$('form[data-stream="said"] [type=submit]')) button.disabled = isRunning;
    $("#said").setAttribute("aria-busy", String(isRunning));
  }

  on("submit", (event) => {
    const how = event.target.dataset.stream;
    if (!how || !$("[name=words]", event.target)) return;
    event.preventDefault();
    const field = $("textarea[name=words]", event.target);
    if (how === "begin") begin(event.target, field);
    else converse(event.target, field ? field.value : event.submitter.value);
  });
  on("click", ({ target }) => { if (target.closest("[data-stop]")) talking?.abort(); });
  on("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || !event.target.closest("form[data-stream]")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });
  addEventListener("pagehide", () => talking?.abort());

  function goOnSaying() {   // what was said to begin this conversation
    const words = $("#say[data-stream]") && sessionStorage.getItem(saidFor(location.pathname));
    if (!words) return;
    sessionStorage.removeItem(saidFor(location.pathname));
    converse($("#say"), words);
  }

  /* -- causes: the words that gave a value are marked while it is hovered or focused ----------------- */
  function mark(value) {
    for (const piece of $$(".quoted.is-lit")) piece.classList.remove("is-lit");
    if (!value?.dataset.message) return;
    const [start, end] = [Number(value.dataset.start), Number(value.dataset.end)];
    for (const piece of $$(`#message-${value.dataset.message} .quoted`)) {
      if (Number(piece.dataset.start) >= start && Number(piece.dataset.end) <= end) piece.classList.add("is-lit");
    }
  }
  const valueAt = (target) => (target.closest ? target.closest(".value") : null);
  on("mouseover", ({ target }) => mark(valueAt(target) || valueAt(document.activeElement || document.body)));
  on("mouseout", ({ target }) => valueAt(target)?.classList.remove("is-quiet"));
  on("focusin", ({ target }) => mark(valueAt(target)));
  on("focusout", ({ target }) => { if (valueAt(target)) mark(null); });

  /* -- playground: a conversation whose answers come as they are written, and can be stopped ------- */
  function playground(form) {
    const byId = (id) => document.getElementById(id);
    const talk = byId("talk"), message = byId("message"), told = byId("told");
    let running = null;   // what is being answered: its AbortController

    const history = () => JSON.parse(byId("history").value || "[]");
    const remember = (turns) => { byId("history").value = JSON.stringify(turns); showCurl(); };

    function addTurn(role, text) {
      talk.querySelector(".talk-empty")?.remove();
      const turn = make("article", { className: `turn is-${role}` });
      turn.append(make("p", { className: "turn-who", textContent: role === "user" ? "You" : form.model.value }));
      const words = make("div", { className: "turn-text", textContent: text });
      turn.append(words);
      talk.append(turn);
      toEnd(true);
      return { turn, words };
    }

    function toEnd(always) {
      const isNear = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
      if (always || isNear) talk.scrollTop = talk.scrollHeight;
    }

    function setRunning(controller) {
      running = controller;
      byId("stop").hidden = !controller;
      byId("send").hidden = Boolean(controller);
      if (!controller) message.focus();
    }

    async function send() {
      const text = message.value;
      if (running || !text.trim()) return;
      const before = history();
      const body = new URLSearchParams(new FormData(form));
      const token = tokenNow();
      if (token) body.set("csrfmiddlewaretoken", token);
      const asked = addTurn("user", text);
      message.value = "";
      const answer = addTurn("assistant", "");
      answer.turn.classList.add("is-coming");
      const run = { text: "", tokens: 0, began: performance.now(), first: 0, rate: 0, error: "" };
      const controller = new AbortController();
      setRunning(controller);
      told.textContent = "Asked";
      try {
        const response = await fetch(form.action, {
          method: "POST", body, signal: controller.signal, headers: { Accept: "text/event-stream", "HX-Request": "true" },
        });
        if (!isStream(response)) run.error = await refusalOf(response);
        else await eventsOf(response.body, (line) => hear(line, run, answer.words));
      } catch (error) {
        if (error.name !== "AbortError") run.error = "The server cannot be reached.";
        else run.stopped = true;
      }
      answer.turn.classList.remove("is-coming");
      finish(run, before, text, asked, answer);
      setRunning(null);
    }

    function hear(line, run, words) {
      if (line.startsWith(":") && !run.first) told.textContent = `Waiting in line:${line.slice(1)}`;
      if (!line.startsWith("data:")) return;
      const data = line.slice(5).trim();
      if (data && data !== "[DONE]") take(JSON.parse(data), run, words);
      toEnd(false);
    }

    function take(data, run, words) {
      if (data.error) { run.error = data.error.message || String(data.error); return; }
      const delta = data.choices?.[0]?.delta || {};
      const piece = (delta.reasoning_content || "") + (delta.content || "");
      if (piece) {
        run.first = run.first || performance.now();
        run.text += piece;
        run.tokens += 1;
        words.textContent = run.text;
        told.textContent = figures(run);
      }
      if (data.usage?.completion_tokens) run.tokens = data.usage.completion_tokens;
      if (data.timings?.predicted_per_second) run.rate = data.timings.predicted_per_second;
      run.last = performance.now();
    }

    function figures(run) {
      if (!run.first) return `${((performance.now() - run.began) / 1000).toFixed(2)} s without a token`;
      const seconds = ((run.last || performance.now()) - run.first) / 1000;
      const rate = run.rate || (seconds > 0 ? (run.tokens - 1) / seconds : 0);
      const said = [`${run.tokens} tokens`, `first after ${((run.first - run.began) / 1000).toFixed(2)} s`];
      if (rate) said.splice(1, 0, `${rate < 100 ? rate.toFixed(1) : Math.round(rate)} tokens/s`);
      return said.join(" · ");
    }

    function finish(run, before, text, asked, answer) {
      const words = run.stopped ? `Stopped · ${figures(run)}` : figures(run);
      answer.turn.append(make("p", { className: "turn-told", textContent: run.error ? "" : words }));
      told.textContent = "";
      if (run.error) {
        answer.turn.classList.add("is-failed");
        answer.words.textContent = run.text ? `${run.text}\n\n${run.error}` : run.error;
      }
      if (run.text && !run.error) remember([...before, { role: "user", content: text }, { role: "assistant", content: run.text }]);
      else if (!run.text) {   // it can be sent again as it was
        message.value = message.value || text;
        asked.turn.classList.add("is-failed");
      }
      toEnd(true);
    }

    function showCurl() {
      const system = form.system.value.trim() ? [{ role: "system", content: form.system.value }] : [];
      const words = message.value.trim() || "Hello!";
      const body = { model: form.model.value, messages: [...system, ...history(), { role: "user", content: words }], stream: true };
      for (const name of ["temperature", "max_tokens"]) if (form[name].value) body[name] = Number(form[name].value);
      const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
      byId("curl").textContent = `curl -N ${form.dataset.base}/chat/completions \\\n  -H "Authorization: Bearer $ALMA_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '${quoted}'`;
    }

    form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
    form.addEventListener("input", showCurl);
    byId("stop").addEventListener("click", () => running?.abort());
    message.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      send();
    });
    addEventListener("pagehide", () => running?.abort());
    showCurl();
    toEnd(true);
  }

  /* -- keys: off in fields and dialogs, and where somebody turned them off ------------------------- */
  let prefix = "";
  let prefixTimer = 0;

  function moveRow(step) {
    const rows = $$(".row-link, [data-row]").filter((row) => row.offsetParent);
    const next = rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(document.activeElement) + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  function follow(target) {
    if (isField(target)) target.focus();
    else target.click();
  }

  function escape(event) {
    for (const menu of $$(".menu[open]")) { menu.open = false; $("summary", menu).focus(); }
    for (const value of $$(".value:hover")) value.classList.add("is-quiet");   // until the mouse has left it
    if (isField(event.target) || event.target.matches(".value")) event.target.blur();
  }

  on("keydown", (event) => {
    if (event.key === "Escape") return escape(event);
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return undefined;
    if (isField(event.target) || event.target.isContentEditable || $("dialog[open]")) return undefined;
    if (event.target.closest("[data-console]")) return undefined;
    if (localStorage.getItem("alma-shortcuts") === "off" && event.key !== "?") return undefined;
    const typed = prefix ? `${prefix} ${event.key}` : event.key;
    prefix = "";
    clearTimeout(prefixTimer);
    const target = $(`[data-shortcut="${CSS.escape(typed)}"]`);
    if (target) follow(target);
    else if (typed === "?") openDialog($("#shortcuts"), document.activeElement);
    else if (typed === "/") $("[data-search]")?.focus();
    else if (typed === "j" || typed === "k") moveRow(typed === "j" ? 1 : -1);
    else if (typed === "g") { prefix = "g"; prefixTimer = setTimeout(() => { prefix = ""; }, 1200); return undefined; }
    else return undefined;
    return event.preventDefault();
  });

  const shortcutsSwitch = $("[data-shortcuts-switch]");
  if (shortcutsSwitch) shortcutsSwitch.checked = localStorage.getItem("alma-shortcuts") !== "off";
  on("htmx:afterSettle", dress);
  for (const tab of $$(".tabs > [aria-current]")) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
  showTheme();
  age();
  dress();
  takeDraft();
  const play = $("#play");
  if (play) playground(play);
  goOnSaying();
})();
