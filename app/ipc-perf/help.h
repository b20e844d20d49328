/* SPDX-License-Identifier: BSD-3-Clause */
/* Parts of the manual that do not come from tables: help_text.c. */
#ifndef HELP_H
#define HELP_H

void help_prompt_print(void);
void help_method_print(void);
void help_results_print(void);
void help_examples_print(void);

#endif /* HELP_H */
