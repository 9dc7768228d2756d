/** What a browser without a session sees: how to get one. */

import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import { Logo } from "../components/Logo";
import { Snippet } from "../components/Notice";
import { noteAnswer } from "../state/store";

const EVERY_MS = 2000;

export default function Login() {
  useEffect(() => {
    // the link was opened in another tab, perhaps: this one then shows what it showed before
    const timer = setInterval(() => void (document.hidden || api.me().then(noteAnswer, () => undefined)), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="login">
      <div class="login-card">
        <Logo size={40} />
        <h1>Log in to Outrider</h1>
        <p>This server answers only to people it knows. Open the link that <code>outrider server</code> printed when it started, or get a new one:</p>
        <Snippet label="Command that prints a login link" code={`outrider login ${location.origin}`} />
        <p class="faint">A link works once and for a few minutes. It carries a code, never your token.</p>
        <button class="button button-main" onClick={() => location.reload()}>I have opened the link</button>
      </div>
    </main>
  );
}
