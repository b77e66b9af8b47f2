/** The files that we write into a repository. */
export {
  blobSha,
  type FoundEntry,
  type FoundFiles,
  isOwnPlace,
  type Plan,
  parentsOf,
  type RenderedFile,
  type Standing,
  standings,
} from "./plan";
export { type FilesFacts, factsText, inspectFiles, writeFiles } from "./write";
