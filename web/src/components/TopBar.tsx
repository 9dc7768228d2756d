/** The bar above every page: where one is, how fresh it is, the theme, the help. */

import type { ComponentChildren } from "preact";
import { tryNow } from "../state/live";
import { connection, helpIsOpen, lastUpdate, now } from "../state/store";
import { chooseTheme, choice, type Choice } from "../theme/theme";
import { Icon, type IconName } from "./Icon";
import { Logo } from "./Logo";
import { Menu } from "./Menu";

export interface Crumb { text: string; href?: string }

const THEMES: { value: Choice; word: string; icon: IconName }[] = [
  { value: "system", word: "As the system", icon: "system" },
  { value: "light", word: "Light", icon: "sun" },
  { value: "dark", word: "Dark", icon: "moon" },
];

export function TopBar({ crumbs, children }: { crumbs: Crumb[]; children?: ComponentChildren }) {
  const icon = THEMES.find((one) => one.value === choice.value)!.icon;
  return (
    <>
    <header class="topbar">
      <a class="brand" href="/" aria-label="Outrider: all projects"><Logo /><span>Outrider</span></a>
      <nav class="crumbs" aria-label="Place">
        {crumbs.map((one, i) => (
          <span class="crumb" key={i}>
            <span class="crumb-mark" aria-hidden="true">/</span>
            {one.href ? <a href={one.href} title={one.text}>{one.text}</a> : <span title={one.text} aria-current="page">{one.text}</span>}
          </span>
        ))}
      </nav>
      <div class="topbar-end">
        {children}
        <LiveStatus />
        <Menu label="Theme" align="end" button={<Icon name={icon} />}>
          {THEMES.map((one) => (
            <button key={one.value} class="menu-item" aria-pressed={choice.value === one.value} onClick={() => chooseTheme(one.value)}>
              <Icon name={one.icon} />{one.word}
              {choice.value === one.value && <span class="menu-tick"><Icon name="check" size={14} /></span>}
            </button>
          ))}
        </Menu>
        <button class="button button-quiet" aria-label="Keyboard and help" title="Keyboard and help (?)" onClick={() => (helpIsOpen.value = true)}>
          <Icon name="help" />
        </button>
      </div>
    </header>
    <Unreached />
    </>
  );
}

const PATIENCE_MS = 4000;

/** What is known, and what to do, when the server does not answer for some seconds. */
function Unreached() {
  const last = lastUpdate.value;
  if (connection.value !== "retrying" || last === null || now.value - last < PATIENCE_MS) return null;
  const is = typeof navigator !== "undefined" && navigator.onLine === false ? "This computer is offline." : "The server does not answer.";
  return (
    <p class="unreached" role="alert">
      <span>{is} What you see is as of {new Date(last).toLocaleTimeString()}, and it catches up by itself. Is <code>outrider server</code> still running?</span>
      <button class="button button-small" onClick={tryNow}>Try now</button>
    </p>
  );
}

function since(): string {
  const seconds = lastUpdate.value === null ? null : Math.max(0, Math.round((now.value - lastUpdate.value) / 1000));
  if (seconds === null) return "";
  if (seconds < 5) return "updated just now";
  return seconds < 120 ? `updated ${seconds}s ago` : `updated ${Math.round(seconds / 60)}m ago`;
}

/** Says how old the page's data can be. */
function LiveStatus() {
  const state = connection.value;
  if (state === "idle") return null;
  const word = state === "live" ? "Live" : state === "connecting" ? "Connecting" : "Reconnecting";
  return (
    <span class={`live live-${state}`} role="status" aria-label={`${word}, ${since()}`}>
      <span class="live-dot" aria-hidden="true" />
      <span class="live-word">{word}</span>
      <span class="live-since">{since()}</span>
    </span>
  );
}
