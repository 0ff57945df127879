"use client";

import { useState, type FormEvent } from "react";
import { authClient } from "@/lib/auth-client";

export function SignInForm() {
  const [isNew, setIsNew] = useState(false);
  const [message, setMessage] = useState("");

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const [name, email, password] = ["name", "email", "password"].map((field) => String(fields.get(field)));
    const { error } = isNew
      ? await authClient.signUp.email({ name, email, password })
      : await authClient.signIn.email({ email, password });
    // Without an error useSession learns of the new session, and the page shows it.
    setMessage(error?.message ?? "");
  }

  return (
    <main>
      <h1>{isNew ? "Sign up" : "Sign in"}</h1>
      <form onSubmit={submit}>
        {isNew && (
          <label>
            Name <input name="name" autoComplete="name" required />
          </label>
        )}
        <label>
          E-mail <input name="email" type="email" autoComplete="username" required />
        </label>
        <label>
          Password{" "}
          <input name="password" type="password" autoComplete={isNew ? "new-password" : "current-password"} required />
        </label>
        <button>{isNew ? "Sign up" : "Sign in"}</button>
      </form>
      <p role="alert">{message}</p>
      <button onClick={() => setIsNew(!isNew)}>{isNew ? "I have an account" : "I am new here"}</button>
    </main>
  );
}
