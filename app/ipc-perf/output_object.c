/* SPDX-License-Identifier: BSD-3-Clause */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output_object.h"

struct object
object_begin(void)
{
	struct object object = {.json = json_object()};

	object.failed = object.json == NULL;
	return object;
}

struct object
array_begin(void)
{
	struct object array = {.json = json_array()};

	array.failed = array.json == NULL;
	return array;
}

json_t *
object_end(struct object *object)
{
	json_t *json = object->json;

	object->json = NULL;
	if (!object->failed)
		return json;
	json_decref(json);
	return NULL;
}

void
object_set(struct object *object, const char *key, json_t *value)
{
	if (json_object_set_new(object->json, key, value) != 0)
		object->failed = true;
}

void
array_add(struct object *array, json_t *value)
{
	if (json_array_append_new(array->json, value) != 0)
		array->failed = true;
}

void
object_set_count(struct object *object, const char *key, uint64_t value)
{
	object_set(object, key, json_integer((json_int_t)value));
}

void
object_set_integer(struct object *object, const char *key, int64_t value)
{
	object_set(object, key, json_integer(value));
}

void
object_set_real(struct object *object, const char *key, double value)
{
	object_set(object, key, isfinite(value) ? json_real(value) : json_null());
}

void
object_set_bool(struct object *object, const char *key, bool value)
{
	object_set(object, key, json_boolean(value));
}

void
object_set_null(struct object *object, const char *key)
{
	object_set(object, key, json_null());
}

json_t *
object_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy, *byte;

	if (json != NULL)
		return json;
	copy = strdup(text);
	if (copy == NULL)
		return NULL;
	for (byte = copy; *byte != '\0'; byte++)
		if ((unsigned char)*byte >= 0x80)
			*byte = '?';
	json = json_string(copy);
	free(copy);
	return json;
}

void
object_set_text(struct object *object, const char *key, const char *text)
{
	object_set(object, key, text != NULL ? object_text(text) : json_null());
}
