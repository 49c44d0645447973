// sigstore-js, asked by tests/interop/test_sigstore_js.py: a question in JSON on stdin, the answer in JSON on stdout.
//
//   {"sign": {content, signingConfig, token | key, publicKey, hint, data}}  ->  {bundle} or {refused}
//   {"verify": {trustedRoot, tlogs, stamps, checks: [{bundle, data, san, issuer | publicKey}]}}  ->  [null or why not]
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const { bundleFromJSON, bundleToJSON } = require("@sigstore/bundle");
const { SigningConfig, TrustedRoot } = require("@sigstore/protobuf-specs");
const sign = require("@sigstore/sign");
const verify = require("@sigstore/verify");

const TYPE = "application/vnd.in-toto+json";
const FETCH = { timeout: 20000, retry: { retries: 1 } };

function builder(asked) {
  const attestation = asked.content === "attestation";
  const signingConfig = SigningConfig.fromJSON(asked.signingConfig);
  if (asked.token) {
    return sign.bundleBuilderFromSigningConfig({
      signingConfig,
      identityProvider: { getToken: async () => asked.token },
      bundleType: attestation ? "dsseEnvelope" : "messageSignature",
      fetchOptions: FETCH,
    });
  }
  const signer = {
    sign: async (data) => ({
      signature: crypto.sign("sha256", data, asked.key),
      key: { $case: "publicKey", publicKey: asked.publicKey, hint: asked.hint },
    }),
  };
  const witnesses = [
    ...signingConfig.rekorTlogUrls.map(
      (log) => new sign.RekorWitness({ rekorBaseURL: log.url, majorApiVersion: log.majorApiVersion, ...FETCH }),
    ),
    ...signingConfig.tsaUrls.map((clock) => new sign.TSAWitness({ tsaBaseURL: clock.url, ...FETCH })),
  ];
  const Builder = attestation ? sign.DSSEBundleBuilder : sign.MessageSignatureBundleBuilder;
  return new Builder({ signer, witnesses });
}

async function signed(asked) {
  const data = Buffer.from(asked.data, "base64");
  try {
    return { bundle: bundleToJSON(await builder(asked).create({ data, type: TYPE })) };
  } catch (error) {
    return { refused: told(error) };
  }
}

function told(error) {
  return [error.message, ...(error.cause ? [told(error.cause)] : [])].join(": ");
}

function checked(asked) {
  const root = TrustedRoot.fromJSON(asked.trustedRoot);
  return asked.checks.map((check) => {
    const keys = () => ({ publicKey: crypto.createPublicKey(check.publicKey), validFor: () => true });
    const material = verify.toTrustMaterial(root, check.publicKey ? keys : undefined);
    const verifier = new verify.Verifier(material, { tlogThreshold: asked.tlogs, timestampThreshold: asked.stamps });
    const policy = check.san ? { subjectAlternativeName: check.san, extensions: { issuer: check.issuer } } : undefined;
    try {
      const entity = verify.toSignedEntity(bundleFromJSON(check.bundle), Buffer.from(check.data, "base64"));
      verifier.verify(entity, policy);
      return null;
    } catch (error) {
      return told(error);
    }
  });
}

async function main() {
  const asked = JSON.parse(fs.readFileSync(0, "utf8"));
  const answer = asked.sign ? await signed(asked.sign) : checked(asked.verify);
  process.stdout.write(JSON.stringify(answer));
}

main();
