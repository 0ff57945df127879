// Better Auth itself on SQLite behind node's HTTP server; the harness configures it through the environment.
import http from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { bearer, deviceAuthorization, genericOAuth, jwt, magicLink, multiSession, twoFactor, username } from "better-auth/plugins";
import Database from "better-sqlite3";
import mysql from "mysql2/promise";
import pg from "pg";

const { env } = process;
const listed = (name) => (env[name] ?? "").split(",").filter(Boolean);
const seconds = (name) => (env[name] === undefined ? undefined : Number(env[name]));
const flag = (name) => (env[name] === undefined ? undefined : env[name] === "1");
const mails = listed("MAILS");

const outbox = [];
// What a callback is given, without what is the same in every call: the row of the user is kept by its address.
const keep = (kind) => async ({ user, ...rest }) => {
  outbox.push({ kind, user: user.email, ...rest });
};
const mailer = (kind) => (mails.includes(kind) ? keep(kind) : undefined);
const told = (kind) => (mails.includes("hooks") ? (user) => keep(kind)({ user }) : undefined);

const SESSION_FIELDS = {
  theme: { type: "string", required: false },
  textSize: { type: "number", required: false },
  note: { type: "string", required: false, returned: false },
  role: { type: "string", required: false, input: false },
};

const USER_FIELDS = {
  plan: { type: ["free", "pro"], required: true },
  nickname: { type: "string", required: false, unique: true },
  age: { type: "number", required: false },
  score: { type: "number", defaultValue: 0.5 },
  isPublic: { type: "boolean", defaultValue: false },
  bornAt: { type: "date", required: false },
  settings: { type: "json", required: false },
  tags: { type: "string[]", defaultValue: () => [] },
  lucky: { type: "number[]", required: false },
  note: { type: "string", required: false, returned: false },
  role: { type: "string", input: false, defaultValue: "member" },
  reviewer: { type: "string", required: false, input: false },
  handle: { type: "string", required: false, fieldName: "nick_handle", index: true },
  chiefId: { type: "string", required: false, references: { model: "user", field: "id", onDelete: "set null" } },
};
// Upstream's columns hold whole numbers only on the database servers.
const WHOLE = { ...USER_FIELDS, score: { type: "number", defaultValue: 5 } };
const NAMES = {
  user: { modelName: "users", fields: { name: "full_name", emailVerified: "is_verified" } },
  session: { modelName: "user_sessions", fields: { userId: "owner_id", token: "secret_token" } },
  account: { modelName: "accounts", fields: { userId: "owner_id" } },
  verification: { modelName: "proofs", fields: { value: "held" } },
  rateLimit: { modelName: "hits", fields: { key: "who" } },
};
// What naming="snake" does on the other side, spelt out.
const snake = (...fields) => Object.fromEntries(fields.map((name) => [name, name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)]));
const DATES = ["createdAt", "updatedAt"];
const SNAKE = {
  user: { fields: snake("emailVerified", ...DATES) },
  session: { fields: snake("expiresAt", "ipAddress", "userAgent", "userId", ...DATES) },
  account: {
    fields: snake(
      ...["accountId", "providerId", "userId", "accessToken", "refreshToken", "idToken", "accessTokenExpiresAt", "refreshTokenExpiresAt"],
      ...DATES,
    ),
  },
  verification: { fields: snake("expiresAt", ...DATES) },
  rateLimit: { modelName: "rate_limit", fields: snake("lastRequest") },
};
const SNAKE_USERNAME = { user: { fields: snake("displayUsername") } };
const SNAKE_FACTORS = {
  user: { fields: snake("twoFactorEnabled") },
  twoFactor: { modelName: "two_factor", fields: snake("backupCodes", "userId", "failedVerificationCount", "lockedUntil") },
};
const isSnake = env.NAMING === "snake";
const names = (table) => (isSnake ? SNAKE[table] : env.RENAMED === "1" ? NAMES[table] : {});

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const signElsewhere = async (payload) => `${part({ alg: "remote" })}.${part(payload)}.signature`;

const signing = () => ({
  sessionCookieCache: flag("JWT_COOKIE_CACHE"),
  disableSettingJwtHeader: flag("JWT_NO_HEADER"),
  jwks: {
    keyPairConfig: env.JWT_ALGORITHM ? { alg: env.JWT_ALGORITHM } : undefined,
    disablePrivateKeyEncryption: flag("JWT_PLAIN_KEYS"),
    rotationInterval: seconds("JWT_ROTATION"),
    gracePeriod: seconds("JWT_GRACE"),
    jwksPath: env.JWT_PATH,
    remoteUrl: env.JWT_REMOTE,
  },
  jwt: {
    issuer: env.JWT_ISSUER,
    audience: env.JWT_AUDIENCE ? listed("JWT_AUDIENCE") : undefined,
    expirationTime: env.JWT_LIFETIME,
    definePayload: env.JWT_CLAIMS === "1" ? ({ user, session }) => ({ email: user.email, until: session.expiresAt, sub: "nobody" }) : undefined,
    getSubject: env.JWT_CLAIMS === "1" ? ({ user }) => `user|${user.email}` : undefined,
    sign: env.JWT_REMOTE ? signElsewhere : undefined,
  },
});

const backwards = async (text) => [...text].reverse().join("");
// What is not said is left out: upstream takes undefined for a value.
const said = (options) => Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
const SEALED = { encrypt: backwards, decrypt: backwards };
const WAYS = { backwards: { hash: backwards }, sealed: SEALED };
const factors = () =>
  said({
    otpOptions: env.OTP
      ? said({
          sendOTP: async ({ user, otp }) => void outbox.push({ kind: "otp", user: user.email, otp }),
          storeOTP: WAYS[env.OTP] ?? env.OTP,
          digits: seconds("OTP_DIGITS"),
          period: seconds("OTP_MINUTES"),
          allowedAttempts: seconds("OTP_ATTEMPTS"),
        })
      : undefined,
    totpOptions: said({ digits: seconds("TOTP_DIGITS"), period: seconds("TOTP_PERIOD"), disable: flag("TOTP_DISABLE") }),
    backupCodeOptions: said({
      amount: seconds("BACKUP_AMOUNT"),
      length: seconds("BACKUP_LENGTH"),
      storeBackupCodes: WAYS[env.BACKUP_STORE] ?? env.BACKUP_STORE,
      customBackupCodesGenerate: env.BACKUP_STORE === "sealed" ? () => ["first one", "second one"] : undefined,
    }),
    skipVerificationOnEnable: flag("SKIP_VERIFICATION"),
    allowPasswordless: flag("ALLOW_PASSWORDLESS"),
    twoFactorCookieMaxAge: seconds("FACTOR_MAX_AGE"),
    trustDeviceMaxAge: seconds("TRUST_MAX_AGE"),
    accountLockout: said({
      enabled: flag("LOCKOUT"),
      maxFailedAttempts: seconds("LOCKED_AFTER"),
      durationSeconds: seconds("LOCKED_FOR"),
    }),
  });
const FORMS = { off: false, "without spaces": (name) => name.replaceAll(" ", "").toLowerCase() };
const usernames = () => ({
  minUsernameLength: seconds("USERNAME_MIN"),
  maxUsernameLength: seconds("USERNAME_MAX"),
  usernameNormalization: FORMS[env.USERNAME_FORM],
  displayUsernameNormalization: FORMS[env.DISPLAY_FORM],
  usernameValidator: env.OWN_NAME_VALIDATORS === "1" ? async (name) => !name.toLowerCase().includes("admin") : undefined,
  displayUsernameValidator: env.OWN_NAME_VALIDATORS === "1" ? (name) => name !== "Root" : undefined,
  validationOrder: env.NAME_ORDER ? { username: env.NAME_ORDER, displayUsername: env.NAME_ORDER } : undefined,
  immutableUsername: flag("IMMUTABLE_USERNAME"),
  displayUsername: flag("DISPLAY_USERNAME"),
  schema: isSnake ? SNAKE_USERNAME : undefined,
});

const ownCodes = env.DEVICE_CODES?.split("|") ?? [];
const devices = () =>
  said({
    expiresIn: env.DEVICE_LIFETIME && `${env.DEVICE_LIFETIME}s`,
    interval: env.DEVICE_INTERVAL && `${env.DEVICE_INTERVAL}s`,
    deviceCodeLength: seconds("DEVICE_CODE_LENGTH"),
    userCodeLength: seconds("USER_CODE_LENGTH"),
    verificationUri: env.DEVICE_PAGE,
    validateClient: env.DEVICE_CLIENTS ? async (client) => listed("DEVICE_CLIENTS").includes(client) : undefined,
    onDeviceAuthRequest: env.DEVICE_CLIENTS ? (client, scope) => void outbox.push({ kind: "device", client, scope: scope ?? null }) : undefined,
    generateDeviceCode: env.DEVICE_CODES ? async () => ownCodes[0] : undefined,
    generateUserCode: env.DEVICE_CODES ? () => ownCodes[1] : undefined,
  });

// Tokens are stored backwards.
const STORES = { backwards: { type: "custom-hasher", hash: async (token) => [...token].reverse().join("") } };
const PLUGINS = {
  bearer: () => bearer(),
  "device-authorization": () => deviceAuthorization(devices()),
  jwt: () => jwt(signing()),
  "magic-link": () =>
    magicLink({
      sendMagicLink: async (mail) => void outbox.push({ kind: "magic-link", ...mail }),
      disableSignUp: flag("DISABLE_LINK_SIGN_UP"),
      expiresIn: seconds("LINK_EXPIRES_IN"),
      storeToken: STORES[env.STORE_TOKEN] ?? env.STORE_TOKEN,
      generateToken: env.TOKEN_OF_ADDRESS === "1" ? (email) => `token-of-${email}` : undefined,
      rateLimit: env.LINK_LIMIT ? { window: 60, max: seconds("LINK_LIMIT") } : undefined,
    }),
  // A package of its own, loaded where it is wanted. Its pages are the application's, which the harness plays.
  "oauth-provider": async () => {
    const { oauthProvider } = await import("@better-auth/oauth-provider");
    return oauthProvider({ loginPage: "/sign-in", consentPage: "/consent" });
  },
  "multi-session": () => multiSession({ maximumSessions: seconds("MAXIMUM_SESSIONS") ?? 5 }),
  username: () => username(usernames()),
  "two-factor": () => twoFactor({ issuer: env.ISSUER, schema: isSnake ? SNAKE_FACTORS : undefined, ...factors() }),
};

// A provider of accounts on loopback.
const providers = () =>
  env.PROVIDER
    ? [
        genericOAuth({
          config: [
            {
              providerId: env.PROVIDER,
              clientId: "client",
              clientSecret: "provider secret",
              authorizationUrl: `${env.PROVIDER_URL}/authorize`,
              tokenUrl: `${env.PROVIDER_URL}/token`,
              userInfoUrl: `${env.PROVIDER_URL}/userinfo`,
              accountSubject: ({ profile }) => profile.sub,
              mapProfileToUser: () => (env.USER_FIELDS ? { plan: "free" } : {}),
            },
          ],
        }),
      ]
    : [];

// Whoever has one of these words in the address is not welcome.
const validateUserInfo = async ({ user, source }) => {
  if (user.email.includes("broken")) throw new Error("the directory is down");
  if (user.email.includes("terse")) return { error: "not_welcome" };
  if (user.email.includes("refused")) return { error: "not_welcome", errorDescription: `${source.action} ${source.method}` };
};

const opened = () => {
  const url = env.DATABASE_URL;
  if (url?.startsWith("postgresql:")) return new pg.Pool({ connectionString: url });
  if (url) return mysql.createPool({ uri: url, timezone: "Z" });
  const file = new Database(env.DB);
  file.pragma("journal_mode = WAL");
  return file;
};
const database = env.STATELESS === "1" ? undefined : opened();

// Secondary storage in a file beside the database, where the harness sees it. Nothing expires within a scenario.
const secondaryStorage = () => {
  const beside = new Database(env.SECONDARY_DB);
  beside.exec('create table if not exists "secondaryStorage" ("key" text primary key, "value" text, "ends" bigint)');
  const read = beside.prepare('select "value" from "secondaryStorage" where "key" = ?').pluck();
  const write = beside.prepare(
    'insert into "secondaryStorage" values (?, ?, ?) on conflict do update set "value" = excluded."value", "ends" = excluded."ends"',
  );
  const count = beside.prepare(
    'insert into "secondaryStorage" values (?, 1, ?) on conflict do update set "value" = "value" + 1 returning "value"',
  ).pluck();
  const remove = beside.prepare('delete from "secondaryStorage" where "key" = ?');
  const take = beside.prepare('delete from "secondaryStorage" where "key" = ? returning "value"').pluck();
  const ends = (ttl) => (ttl ? Date.now() + ttl * 1000 : null);
  return {
    get: async (key) => read.get(key) ?? null,
    set: async (key, value, ttl) => void write.run(key, value, ends(ttl)),
    delete: async (key) => void remove.run(key),
    getAndDelete: async (key) => take.get(key) ?? null,
    increment: async (key, ttl) => Number(count.get(key, ends(ttl))),
  };
};

// A base URL that depends on the host which was asked.
const baseURL = () =>
  env.ALLOWED_HOSTS
    ? { allowedHosts: listed("ALLOWED_HOSTS"), fallback: env.FALLBACK, protocol: env.PROTOCOL }
    : env.BASE_URL;

const askedOrigins = async (request) => {
  const tenant = request?.headers.get("x-tenant");
  return tenant ? [`https://${tenant}.example.net`, "", ...listed("TRUSTED_ORIGINS")] : [];
};

const unchecked = (value) => (value === undefined ? undefined : value.startsWith("/") ? value.split(",") : value === "1");

const crossSubDomainCookies = () =>
  env.CROSS_SUBDOMAIN ? { enabled: true, domain: env.CROSS_SUBDOMAIN === "1" ? undefined : env.CROSS_SUBDOMAIN } : undefined;
const NAMED_COOKIES = {
  session_token: { name: "sid", attributes: { sameSite: "strict", path: "/api" } },
  session_data: { attributes: { httpOnly: false } },
};

const onAPIError = () => ({
  errorURL: env.ERROR_URL,
  onError:
    env.ON_API_ERROR === "told"
      ? (error) => void outbox.push({ kind: "error", status: error.statusCode ?? 500, code: error.body?.code ?? null })
      : undefined,
});

const auth = betterAuth({
  database,
  secondaryStorage: env.SECONDARY === "1" ? secondaryStorage() : undefined,
  secret: env.SECRET,
  secrets: env.OLDER_SECRET
    ? [
        { version: 2, value: env.SECRET },
        { version: 1, value: env.OLDER_SECRET },
      ]
    : undefined,
  baseURL: baseURL(),
  trustedOrigins: env.ASKED_ORIGINS === "1" ? askedOrigins : listed("TRUSTED_ORIGINS"),
  onAPIError: onAPIError(),
  emailAndPassword: {
    enabled: env.EMAIL_AND_PASSWORD !== "0",
    requireEmailVerification: flag("REQUIRE_EMAIL_VERIFICATION"),
    autoSignIn: flag("AUTO_SIGN_IN"),
    sendResetPassword: mailer("reset-password"),
    onPasswordReset: mailer("password-was-reset"),
    revokeSessionsOnPasswordReset: flag("REVOKE_SESSIONS_ON_PASSWORD_RESET"),
    onExistingUserSignUp: mailer("existing-user-sign-up"),
  },
  emailVerification: {
    sendVerificationEmail: mailer("verification"),
    sendOnSignUp: flag("SEND_ON_SIGN_UP"),
    sendOnSignIn: flag("SEND_ON_SIGN_IN"),
    autoSignInAfterVerification: flag("AUTO_SIGN_IN_AFTER_VERIFICATION"),
    beforeEmailVerification: told("before-verification"),
    afterEmailVerification: told("after-verification"),
  },
  user: {
    ...names("user"),
    additionalFields: { 1: USER_FIELDS, whole: WHOLE }[env.USER_FIELDS],
    validateUserInfo: env.VALIDATE_USER_INFO === "1" ? validateUserInfo : undefined,
    changeEmail: {
      enabled: env.CHANGE_EMAIL === "1",
      sendChangeEmailConfirmation: mailer("change-email-confirmation"),
      updateEmailWithoutVerification: flag("UPDATE_EMAIL_WITHOUT_VERIFICATION"),
    },
    deleteUser: {
      enabled: env.DELETE_USER === "1",
      sendDeleteAccountVerification: mailer("delete-account"),
      beforeDelete: told("before-delete"),
      afterDelete: told("after-delete"),
    },
  },
  session: {
    ...names("session"),
    expiresIn: seconds("EXPIRES_IN"),
    updateAge: seconds("UPDATE_AGE"),
    freshAge: seconds("FRESH_AGE"),
    disableSessionRefresh: env.DISABLE_SESSION_REFRESH === "1",
    deferSessionRefresh: env.DEFER_SESSION_REFRESH === "1",
    additionalFields: env.SESSION_FIELDS === "1" ? SESSION_FIELDS : undefined,
    cookieCache: env.COOKIE_CACHE
      ? {
          enabled: true,
          maxAge: seconds("COOKIE_CACHE_MAX_AGE"),
          strategy: env.COOKIE_CACHE,
          refreshCache: env.REFRESH_CACHE === "1",
          version: env.VERSION_OF_USER === "1" ? (session, user) => user.name : undefined,
        }
      : undefined,
    storeSessionInDatabase: env.STORE_SESSION_IN_DB === "1",
    preserveSessionInDatabase: env.PRESERVE_SESSION_IN_DB === "1",
  },
  verification: {
    ...names("verification"),
    storeIdentifier: env.STORE_IDENTIFIER,
    storeInDatabase: env.VERIFICATION_IN_DB === "1",
  },
  account: {
    ...names("account"),
    accountLinking: { allowUnlinkingAll: env.ALLOW_UNLINKING_ALL === "1" },
    encryptOAuthTokens: env.ENCRYPT_OAUTH_TOKENS === "1",
    storeAccountCookie: flag("STORE_ACCOUNT_COOKIE"),
  },
  rateLimit: { ...names("rateLimit"), enabled: env.RATE_LIMIT === "1", storage: env.RATE_LIMIT_STORAGE },
  disabledPaths: listed("DISABLED_PATHS"),
  advanced: {
    skipTrailingSlashes: env.SKIP_TRAILING_SLASHES === "1",
    database: { generateId: env.GENERATE_ID },
    trustedProxyHeaders: flag("TRUSTED_PROXY_HEADERS"),
    disableCSRFCheck: flag("DISABLE_CSRF_CHECK"),
    disableOriginCheck: unchecked(env.DISABLE_ORIGIN_CHECK),
    useSecureCookies: flag("SECURE_COOKIES"),
    cookiePrefix: env.COOKIE_PREFIX,
    crossSubDomainCookies: crossSubDomainCookies(),
    defaultCookieAttributes: env.COOKIE_ATTRIBUTES === "1" ? { sameSite: "none", partitioned: true } : undefined,
    cookies: env.NAMED_COOKIES === "1" ? NAMED_COOKIES : undefined,
    ipAddress: {
      disableIpTracking: flag("DISABLE_IP_TRACKING"),
      ipAddressHeaders: env.ADDRESS_HEADERS ? listed("ADDRESS_HEADERS") : undefined,
      trustedProxies: env.TRUSTED_PROXIES ? listed("TRUSTED_PROXIES") : undefined,
      ipv6Subnet: seconds("IPV6_PREFIX"),
    },
  },
  plugins: [...(await Promise.all(listed("PLUGINS").map((id) => PLUGINS[id]()))), ...providers()],
  telemetry: { enabled: false },
  logger: { disabled: true },
});

const makeTables = async () => (await getMigrations(auth.options)).runMigrations();
if (database) await makeTables();

// What only server code calls: POST /__api/<method> with its body.
const serverCall = async (request, response) => {
  let text = "";
  for await (const part of request) text += part;
  const method = auth.api[request.url.split("/").at(-1)];
  const reply = await method({ body: JSON.parse(text) }).catch(() => ({ refused: true }));
  response.setHeader("content-type", "application/json").end(JSON.stringify(reply));
};

const handler = toNodeHandler(auth);
const CONTROLS = {
  "/__outbox": async () => outbox.splice(0),
  "/__tables": async () => makeTables().then(() => null),
};
const answer = async (request, response) => {
  if (request.url.startsWith("/__api/")) return serverCall(request, response);
  const control = CONTROLS[request.url];
  if (!control) return handler(request, response);
  response.setHeader("content-type", "application/json").end(JSON.stringify(await control()));
};
// A target that is no path makes the handler reject, which would end the process: the connection is dropped instead.
const server = http.createServer((request, response) => answer(request, response).catch(() => response.destroy()));
server.listen(Number(env.PORT), "127.0.0.1", () => console.log("ready"));
process.on("SIGTERM", () => process.exit(0));
