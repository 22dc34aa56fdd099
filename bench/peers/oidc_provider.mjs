// SPDX-License-Identifier: Apache-2.0
// The package oidc-provider as a server of client credentials: ES256 access tokens, everything in
// memory, nothing recorded. Argument: a file of "client-id client-secret" lines.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";

import Provider from "oidc-provider";

const clients = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => {
  const [id, secret] = line.split(" ");
  return {
    client_id: id,
    client_secret: secret,
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: "ES256",
    token_endpoint_auth_method: "client_secret_post",
  };
});

const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const api = {
  scope: "api",
  audience: "urn:bench:api",
  accessTokenFormat: "jwt",
  accessTokenTTL: 3600,
  jwt: { sign: { alg: "ES256" } },
};

const provider = new Provider("http://127.0.0.1", {
  clients,
  cookies: { keys: ["bench"] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api.audience,
      getResourceServerInfo: () => api,
      useGrantedResource: () => true,
    },
  },
  jwks: { keys: [{ ...key, alg: "ES256", use: "sig" }] },
  ttl: { ClientCredentials: 3600 },
});

const server = provider.listen(0, "127.0.0.1", () => {
  server.keepAliveTimeout = 60_000;
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
