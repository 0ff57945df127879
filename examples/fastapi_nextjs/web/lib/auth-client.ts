import { createAuthClient } from "better-auth/react";

// No URL: the browser asks the origin that it has the page from, and next.config.ts hands that on.
export const authClient = createAuthClient();
