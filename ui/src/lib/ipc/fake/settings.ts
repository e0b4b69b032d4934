/** The settings with their defaults filled in, as the console answers them. */
export const SETTINGS: Record<string, unknown> = {
  base_url: '',
  region_url_template: '',
  join_url_template: '',
  listen: '127.0.0.1:0',
  public_url: '',
  lan: false,
  technician: 'Anna Keller',
  probe_rounds: 3,
  heartbeat_s: 30,
  mail_rule_to: '',
  mail_rule_when: 'off',
};
