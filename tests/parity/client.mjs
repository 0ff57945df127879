// Runs flows through Better Auth's own client and prints what every call gave, as one JSON document.
// node client.mjs <base URL of the server> <origin of the browser> <flows, separated by commas>
import { createHmac } from "node:crypto";
import { createAuthClient } from "better-auth/client";
import { deviceAuthorizationClient, jwtClient, magicLinkClient, multiSessionClient, twoFactorClient, usernameClient } from "better-auth/client/plugins";

const [baseURL, origin, wanted] = process.argv.slice(2);
const PASSWORD = "password123";
const ANN = { name: "Ann", email: "ann@example.com", password: PASSWORD };

function browser() {
  const jar = new Map();
  const customFetchImpl = async (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set("origin", origin);
    headers.set("user-agent", "parity");
    headers.set("x-forwarded-for", "203.0.113.7");
    if (jar.size) headers.set("cookie", [...jar].map((pair) => pair.join("=")).join("; "));
    const response = await fetch(url, { ...init, headers, credentials: undefined });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      if (/max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, pair.slice(name.length + 1));
    }
    return response;
  };
  const plugins = [deviceAuthorizationClient(), usernameClient(), twoFactorClient(), jwtClient(), magicLinkClient(), multiSessionClient()];
  const client = createAuthClient({ baseURL, fetchOptions: { customFetchImpl }, plugins });
  return client;
}

function totp(uri, steps = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...new URL(uri).searchParams.get("secret")].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}

const taken = [];
async function step(name, call) {
  const { data, error } = await call;
  taken.push({ name, data, error });
  return data;
}

let outbox = [];
async function mailed(kind, part = "token") {
  outbox = outbox.concat(await (await fetch(`${baseURL}/__outbox`)).json());
  return outbox.filter((mail) => mail.kind === kind).at(-1)[part];
}

const FLOWS = {
  async accounts() {
    const [one, two] = [browser(), browser()];
    await step("nobody is signed in", one.getSession());
    await step("a user signs up", one.signUp.email(ANN));
    await step("the address is taken", two.signUp.email(ANN));
    await step("the address is malformed", two.signUp.email({ ...ANN, email: "ann" }));
    await step("the password is short", two.signUp.email({ ...ANN, email: "bob@example.com", password: "short" }));
    await step("who is it", one.getSession());
    await step("a wrong password", two.signIn.email({ email: ANN.email, password: "nope" }));
    await step("another browser signs in", two.signIn.email({ email: ANN.email, password: PASSWORD, rememberMe: false }));
    await step("both are listed", one.listSessions());
    await step("a name is changed", one.updateUser({ name: "Ann B.", image: "https://example.com/ann.png" }));
    await step("an address cannot be", one.updateUser({ email: "other@example.com" }));
    await step("the change is seen elsewhere", two.getSession());
    await step("uncached", two.getSession({ query: { disableCookieCache: true } }));
    await step("a wrong current password", one.changePassword({ currentPassword: "nope", newPassword: "another-password" }));
    await step("a password is changed", one.changePassword({ currentPassword: PASSWORD, newPassword: "another-password", revokeOtherSessions: true }));
    await step("the other browser is out", two.getSession());
    await step("signing in again", two.signIn.email({ email: ANN.email, password: "another-password" }));
    const { data: sessions } = await one.listSessions();
    await step("one is revoked", one.revokeSession({ token: sessions.at(-1).token }));
    await step("signing in once more", two.signIn.email({ email: ANN.email, password: "another-password" }));
    await step("the others are revoked", one.revokeOtherSessions());
    await step("all are revoked", one.revokeSessions());
    await step("nobody is left", one.getSession());
    await step("signing out twice", one.signOut());
    await step("a call without a session", one.updateUser({ name: "x" }));
  },
  async usernames() {
    const [one, two] = [browser(), browser()];
    await step("a user signs up with a name", one.signUp.email({ ...ANN, email: "eve@example.com", username: "Eve_1", displayUsername: "Eve!" }));
    await step("it is taken", two.isUsernameAvailable({ username: "EVE_1" }));
    await step("another is free", two.isUsernameAvailable({ username: "other" }));
    await step("a short one", two.isUsernameAvailable({ username: "x" }));
    await step("signing in by it", two.signIn.username({ username: "eve_1", password: PASSWORD }));
    await step("a wrong password", two.signIn.username({ username: "eve_1", password: "nope" }));
    await step("it is changed", one.updateUser({ username: "New.Name" }));
    await step("who is it", one.getSession());
  },
  async secondFactor() {
    const [one, two, three] = [browser(), browser(), browser()];
    const credentials = { email: "zoe@example.com", password: PASSWORD };
    await step("a user signs up", one.signUp.email({ ...credentials, name: "Zoe" }));
    await step("a wrong password", one.twoFactor.enable({ password: "nope" }));
    const { totpURI, backupCodes } = await step("it is turned on", one.twoFactor.enable({ password: PASSWORD }));
    await step("a wrong code", one.twoFactor.verifyTotp({ code: "000000" }));
    await step("it is confirmed", one.twoFactor.verifyTotp({ code: totp(totpURI, -1) }));
    await step("the first step", two.signIn.email(credentials));
    await step("nobody yet", two.getSession());
    await step("the second step", two.twoFactor.verifyTotp({ code: totp(totpURI), trustDevice: true }));
    await step("signing out", two.signOut());
    await step("a trusted device", two.signIn.email(credentials));
    await step("another device", three.signIn.email(credentials));
    await step("a wrong backup code", three.twoFactor.verifyBackupCode({ code: "aaaaa-bbbbb" }));
    await step("a backup code", three.twoFactor.verifyBackupCode({ code: backupCodes[0] }));
    await step("new backup codes", three.twoFactor.generateBackupCodes({ password: PASSWORD }));
    await step("the address of the secret", three.twoFactor.getTotpUri({ password: PASSWORD }));
    await step("it is turned off", three.twoFactor.disable({ password: PASSWORD }));
    await step("one step again", one.signIn.email(credentials));
  },
  async sentCodes() {
    const [one, two] = [browser(), browser()];
    const credentials = { email: "kim@example.com", password: PASSWORD };
    await step("a user signs up", one.signUp.email({ ...credentials, name: "Kim" }));
    await step("a wrong password", one.twoFactor.enable({ password: "nope", method: "otp" }));
    await step("codes are sent from now on", one.twoFactor.enable({ password: PASSWORD, method: "otp" }));
    await step("the first step", two.signIn.email(credentials));
    await step("none was sent", two.twoFactor.verifyOtp({ code: "000000" }));
    await step("a code is sent", two.twoFactor.sendOtp());
    await step("a wrong one", two.twoFactor.verifyOtp({ code: "000000" }));
    await step("the right one", two.twoFactor.verifyOtp({ code: await mailed("otp", "otp"), trustDevice: true }));
    await step("who is it", two.getSession());
    await step("signing out", two.signOut());
    await step("a trusted device", two.signIn.email(credentials));
    await step("no backup codes", two.twoFactor.generateBackupCodes({ password: PASSWORD }));
    await step("it is turned off", two.twoFactor.disable({ password: PASSWORD }));
  },
  async links() {
    const [one, two] = [browser(), browser()];
    await step("a link is asked for", one.signIn.magicLink({ email: ANN.email, name: "Ann", metadata: { theme: "dark" } }));
    await step("a malformed address", one.signIn.magicLink({ email: "ann" }));
    await step("a strange place", one.signIn.magicLink({ email: ANN.email, callbackURL: "https://evil.test" }));
    const token = await mailed("magic-link");
    await step("it is followed", two.magicLink.verify({ query: { token } }));
    await step("who is it", two.getSession());
    await step("nobody else", one.getSession());
    await step("a second link", one.signIn.magicLink({ email: ANN.email }));
    await step("it signs in again", one.magicLink.verify({ query: { token: await mailed("magic-link") } }));
    await step("both are listed", two.listSessions());
  },
  async several() {
    const [one, two] = [browser(), browser()];
    const bob = { name: "Bob", email: "bob@example.com", password: PASSWORD };
    await step("nobody is there", one.multiSession.listDeviceSessions());
    const ann = await step("one signs up", one.signUp.email(ANN));
    await step("one is there", one.multiSession.listDeviceSessions());
    await step("another one signs up", one.signUp.email(bob));
    await step("who is it", one.getSession());
    await step("the first one is back", one.multiSession.setActive({ sessionToken: ann.token }));
    await step("who is it now", one.getSession());
    await step("a wrong one", one.multiSession.setActive({ sessionToken: "wrong" }));
    await step("not in this browser", two.multiSession.setActive({ sessionToken: ann.token }));
    await step("nobody is signed in there", two.multiSession.revoke({ sessionToken: ann.token }));
    await step("the first one leaves", one.multiSession.revoke({ sessionToken: ann.token }));
    await step("who is left", one.getSession());
    await step("one is left", one.multiSession.listDeviceSessions());
    await step("all sign out", one.signOut());
    await step("nobody is left", one.multiSession.listDeviceSessions());
  },
  async devices() {
    const [one, two, device] = [browser(), browser(), browser()];
    const asking = { grant_type: "urn:ietf:params:oauth:grant-type:device_code", client_id: "cli" };
    await step("a user signs up", one.signUp.email(ANN));
    await step("another user signs up", two.signUp.email({ ...ANN, email: "bob@example.com" }));
    const { device_code, user_code } = await step("a device asks", device.device.code({ client_id: "cli", scope: "read" }));
    await step("nothing yet", device.device.token({ ...asking, device_code }));
    await step("in a hurry", device.device.token({ ...asking, device_code }));
    await step("not seen yet", one.device.approve({ userCode: user_code }));
    await step("the user looks", one.device({ query: { user_code } }));
    await step("another one looks", two.device({ query: { user_code } }));
    await step("another one approves", two.device.approve({ userCode: user_code }));
    await step("the user approves", one.device.approve({ userCode: user_code }));
    await step("twice", one.device.approve({ userCode: user_code }));
    await step("a wrong code", one.device.deny({ userCode: "WRONG" }));
    await step("another client", device.device.token({ ...asking, client_id: "other", device_code }));
    const second = await step("a second device asks", device.device.code({ client_id: "cli" }));
    await step("the user looks at that", one.device({ query: { user_code: second.user_code } }));
    await step("the user turns it away", one.device.deny({ userCode: second.user_code }));
    await step("it is told", device.device.token({ ...asking, device_code: second.device_code }));
  },
  async tokens() {
    const [one, two] = [browser(), browser()];
    await step("nobody gets a token", one.token());
    await step("the keys", two.jwks());
    await step("a user signs up", one.signUp.email(ANN));
    await step("a token", one.token());
    let header;
    await step("who is it", one.getSession({ fetchOptions: { onSuccess: ({ response }) => { header = response.headers.get("set-auth-jwt"); } } }));
    await step("a token came along", Promise.resolve({ data: header, error: null }));
    await step("the keys again", one.jwks());
    await step("signing out", one.signOut());
    await step("no token any more", one.token());
  },
  async mails() {
    const [one, two] = [browser(), browser()];
    await step("a user signs up", one.signUp.email({ ...ANN, callbackURL: "/welcome" }));
    await step("the address is proven", two.verifyEmail({ query: { token: await mailed("verification") } }));
    await step("a wrong token", two.verifyEmail({ query: { token: "wrong" } }));
    await step("it is proven already", one.sendVerificationEmail({ email: ANN.email }));
    await step("a forgotten password", two.requestPasswordReset({ email: ANN.email, redirectTo: "/reset" }));
    await step("of nobody", two.requestPasswordReset({ email: "nobody@example.com", redirectTo: "/reset" }));
    const token = await mailed("reset-password");
    await step("a short one", two.resetPassword({ newPassword: "short", token }));
    await step("a new one", two.resetPassword({ newPassword: "another-password", token }));
    await step("it is used up", two.resetPassword({ newPassword: "another-password", token }));
    await step("signing in with it", two.signIn.email({ email: ANN.email, password: "another-password" }));
    await step("another address", one.changeEmail({ newEmail: "new@example.com", callbackURL: "/settings" }));
    await step("it is confirmed", one.verifyEmail({ query: { token: await mailed("change-email-confirmation") } }));
    await step("it is changed", one.verifyEmail({ query: { token: await mailed("verification") } }));
    await step("who is it", two.getSession());
    await step("the same again", one.changeEmail({ newEmail: "new@example.com" }));
    await step("a link to the end", one.deleteUser({ callbackURL: "/bye" }));
    await step("a wrong link", one.deleteUser({ token: "wrong" }));
    await step("the end", one.deleteUser({ token: await mailed("delete-account") }));
    await step("nobody is left", two.getSession());
  },
  async providers() {
    const [one, two] = [browser(), browser()];
    await step("nobody has accounts", one.listAccounts());
    await step("nobody gets a token", one.getAccessToken({ accountId: "x" }));
    await step("nobody refreshes", one.refreshToken({ accountId: "x" }));
    await step("nobody is known to a provider", one.accountInfo({ query: { accountId: "x" } }));
    await step("the owner signs in", one.signIn.email({ email: ANN.email, password: PASSWORD }));
    const [own, { id: accountId }] = await step("the accounts", one.listAccounts());
    await step("an access token", one.getAccessToken({ accountId }));
    await step("who is it there", one.accountInfo({ query: { accountId } }));
    await step("new tokens", one.refreshToken({ accountId }));
    await step("the new access token", one.getAccessToken({ accountId }));
    await step("who is it still", one.accountInfo({ query: { accountId } }));
    await step("no account has that id", one.getAccessToken({ accountId: "x" }));
    await step("nor is it refreshed", one.refreshToken({ accountId: "x" }));
    await step("nor known", one.accountInfo({ query: { accountId: "x" } }));
    await step("no provider of passwords", one.getAccessToken({ accountId: own.id }));
    await step("another user signs up", two.signUp.email({ ...ANN, email: "bob@example.com" }));
    await step("it is not theirs", two.getAccessToken({ accountId }));
    await step("to refresh", two.refreshToken({ accountId }));
    await step("or to look at", two.accountInfo({ query: { accountId } }));
    await step("or to unlink", two.unlinkAccount({ accountId }));
    await step("the owner unlinks it", one.unlinkAccount({ accountId }));
    await step("but not the last one", one.unlinkAccount({ accountId: own.id }));
    await step("one is left", one.listAccounts());
    await step("no token is left", one.getAccessToken({ accountId }));
  },
  async atOnce() {
    const [one, two] = [browser(), browser()];
    await step("a user signs up", one.signUp.email(ANN));
    await step("another user signs up", two.signUp.email({ ...ANN, email: "bob@example.com" }));
    await step("an address is changed", one.changeEmail({ newEmail: "new@example.com" }));
    await step("one is taken", one.changeEmail({ newEmail: "bob@example.com" }));
    await step("who is it", one.getSession({ query: { disableCookieCache: true } }));
    await step("the old one is nobody's", two.signIn.email({ email: ANN.email, password: PASSWORD }));
    await step("a wrong password", one.deleteUser({ password: "wrong password" }));
    await step("it is still there", one.getSession({ query: { disableCookieCache: true } }));
    await step("the user is deleted", one.deleteUser({ password: PASSWORD }));
    await step("nobody is left", one.getSession());
    await step("signing in is over", one.signIn.email({ email: "new@example.com", password: PASSWORD }));
    await step("the other one stays", two.getSession({ query: { disableCookieCache: true } }));
    await step("and is deleted without a password", two.deleteUser());
    await step("nobody is left there", two.getSession());
  },
};

for (const name of wanted.split(",")) await FLOWS[name]();
console.log(JSON.stringify(taken));
