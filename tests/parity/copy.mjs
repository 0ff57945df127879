// Reads the cookie copy of a session as a service does that knows nothing but where the keys are, and prints it or null.
// node copy.mjs <URL of the key set> <issuer> <Cookie header>
import { getCookieCache } from "better-auth/cookies";

const [url, issuer, cookie] = process.argv.slice(2);
const jwks = await (await fetch(url)).json();
const read = await getCookieCache(new Headers({ cookie }), { strategy: "jwt", isSecure: false, jwt: { jwks, issuer } });
console.log(JSON.stringify(read));
