"use client";

import { useEffect, useState } from "react";
import { authClient } from "@/lib/auth-client";

export function Welcome({ name }: { name: string }) {
  const [greeting, setGreeting] = useState("");

  useEffect(() => {
    // An endpoint of your own: the session cookie goes along by itself.
    fetch("/api/greeting")
      .then((response) => (response.ok ? response.json() : { text: "" }))
      .then(({ text }) => setGreeting(text));
  }, []);

  return (
    <main>
      <h1>Hello {name}</h1>
      <p>{greeting}</p>
      <button onClick={() => authClient.signOut()}>Sign out</button>
    </main>
  );
}
