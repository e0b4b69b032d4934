export function systemOf(said: {
  userAgentData?: { platform: string };
  platform?: string;
  userAgent?: string;
}): string | null;
export function systemsOf(platforms: { platform: string }[]): string[];
export function programs(): Promise<{ platform: string; size: number; sha256: string }[]>;
export class NoProgram extends Error {
  code: string;
}
export interface Program {
  blob: Blob;
  name: string;
  sum: string;
}
export function ownProgram(pin: string): Promise<Program>;
export function plainProgram(): Promise<Program>;
export function save(program: Program): void;
