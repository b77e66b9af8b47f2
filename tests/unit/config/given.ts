import { ConfigError, type EnvironmentConfig, type ServiceConfig, validateConfig } from "../../../config";
import type { ConfigFacts } from "../../../config/validate";

type Values = Readonly<Record<string, unknown>>;

/** The least that an environment's config must hold. */
export const least: Values = {
  images: { server: { repository: "ghcr.io/acme/shop/server" } },
  services: { server: { image: "server", port: 8080 } },
};

/** The typed config of an environment: the least, with `values` over it. */
export function environment(values: Values = {}, stack = "dev"): EnvironmentConfig {
  const config = validateConfig({ ...least, ...values }, { stack });
  if (config.kind !== "environment") {
    throw new Error(`${stack} is not an environment`);
  }
  return config;
}

/** The typed config of a service, with `values` over the least. */
export function service(values: Values): ServiceConfig {
  const config = environment({ services: { server: { image: "server", port: 8080, ...values } } });
  return config.services["server"] as ServiceConfig;
}

/** The lines that a user sees for `values` over the least; none where all is well. */
export function mistakes(values: Values, facts: Partial<ConfigFacts> = {}): string[] {
  try {
    validateConfig({ ...least, ...values }, { stack: "dev", ...facts });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
}

/** The lines that a user sees for a service with `values` over the least. */
export function serviceMistakes(values: Values): string[] {
  return mistakes({ services: { server: { image: "server", port: 8080, ...values } } });
}
