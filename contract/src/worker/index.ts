export type { WorkerRouteName } from "./endpoints.ts";
export { workerEndpoints, workerPathOf } from "./endpoints.ts";
export type { WorkerErrorCode, WorkerTaskErrorCode, WorkerTaskErrorMeaning } from "./errors.ts";
export { workerErrorCodes, workerProblemType, workerTaskErrorCodes } from "./errors.ts";
export {
  sha256OfMediaId,
  workerHeaders,
  workerLimits,
  workerMediaTypes,
  workerProtocol,
  workerResultTypes,
} from "./protocol.ts";
export type { WorkerRoute } from "./route.ts";
export type { WorkerRoutes } from "./routes.ts";
export { workerRoutes } from "./routes.ts";
export { WorkerGpu, WorkerHealth, WorkerMode, WorkerModel, WorkerSlots, weightStates } from "./schemas/health.ts";
export { WorkerMediaStored } from "./schemas/media.ts";
export { WorkerProblem } from "./schemas/problem.ts";
export type { WorkerStage, WorkerTaskState } from "./schemas/task.ts";
export { WorkerResult, WorkerTask, WorkerTaskError, workerStages, workerTaskStates } from "./schemas/task.ts";
export { sha256Pattern, taskIdPattern, WorkerMedia, WorkerTaskRequest } from "./schemas/task-request.ts";
