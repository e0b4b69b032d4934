export function readPin(typed: string): string | null;
export function beside(name: string): string;
export function patience(tries: number): number;
