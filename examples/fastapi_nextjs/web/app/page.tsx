"use client";

import { authClient } from "@/lib/auth-client";
import { SignInForm } from "./sign-in-form";
import { Welcome } from "./welcome";

export default function Page() {
  const { data: session, isPending } = authClient.useSession();
  if (isPending) return <p>One moment…</p>;
  return session ? <Welcome name={session.user.name} /> : <SignInForm />;
}
