// Verifies a token as a service does that knows nothing but where the keys are, and prints its claims or the refusal.
// node verify.mjs <URL of the key set> <issuer> <audience> <token>
import { createRemoteJWKSet, jwtVerify } from "jose";

const [url, issuer, audience, token] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(url));
try {
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience });
  console.log(JSON.stringify({ payload, header: protectedHeader }));
} catch (error) {
  console.log(JSON.stringify({ error: error.code }));
}
