/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The vocabulary of failures: what the service calls a refusal.  The model speaks in these codes,
 * reply.c turns them into HTTP.  Columns: code, HTTP status, machine name, English description,
 * Russian message; in both texts %s stands for the path as it was asked for, or for a detail.
 */

#define SVC_ERRORS(E)                                                                            \
        E(BAD_FIELD, 400, "FieldValidationError", "Error validating field %s",                   \
          "Ошибка проверки поля %s")                                                             \
        E(UNAUTHORIZED, 401, "UnauthorizedError", "Unauthorized", "Не авторизован.")             \
        E(FORBIDDEN, 403, "ForbiddenError", "Forbidden",                                         \
          "API недоступно. Ваши файлы занимают больше места, чем у вас есть.")                   \
        E(ACCOUNT, 403, "DiskUnsupportedUserAccountTypeError",                                   \
          "User account type is not supported.", "Тип аккаунта пользователя не поддерживается.") \
        E(NOT_FOUND, 404, "DiskNotFoundError", "Resource not found.",                            \
          "Не удалось найти запрошенный ресурс.")                                                \
        E(NO_OPERATION, 404, "DiskOperationNotFoundError", "Operation not found.",               \
          "Не удалось найти  операцию.")                                                         \
        E(NO_METHOD, 404, "NotFoundError", "Not Found", "Ресурс не найден.")                     \
        E(METHOD, 405, "MethodNotAllowedError", "Method Not Allowed", "Метод не поддерживается.") \
        E(NOT_ACCEPTABLE, 406, "NotAcceptableError", "Not Acceptable",                           \
          "Ресурс не может быть представлен в запрошенном формате.")                             \
        E(NO_PARENT, 409, "DiskPathDoesntExistsError", "Specified path \"%s\" doesn't exists.",  \
          "Указанного пути \"%s\" не существует.")                                               \
        E(DIR_EXISTS, 409, "DiskPathPointsToExistentDirectoryError",                             \
          "Specified path \"%s\" points to existent directory.",                                 \
          "По указанному пути \"%s\" уже существует папка с таким именем.")                      \
        E(EXISTS, 409, "DiskResourceAlreadyExistsError", "Resource \"%s\" already exists.",      \
          "Ресурс \"%s\" уже существует.")                                                       \
        E(MD5_DIFFERS, 409, "MD5DifferError", "MD5 of the resource differs from the given one.", \
          "MD5 ресурса отличается от указанного.")                                               \
        E(ROOT, 409, "DiskPathPointsToRootError", "Specified path \"%s\" points to root.",       \
          "Указанный путь \"%s\" указывает на корневую папку.")                                  \
        E(INTO_ITSELF, 409, "ConflictError", "Resource \"%s\" cannot be placed into itself.",    \
          "Ресурс \"%s\" нельзя поместить в самого себя.")                                       \
        E(TOO_LARGE, 413, "DiskFileSizeLimitExceededError", "File is too large.",                \
          "Загрузка файла недоступна. Файл слишком большой.")                                    \
        E(MEDIA_TYPE, 415, "UnsupportedMediaTypeError", "Unsupported Media Type",                \
          "Неподдерживаемый тип данных в теле запроса.")                                         \
        E(LOCKED, 423, "DiskResourceLockedError", "Resource is locked.",                         \
          "Ресурс заблокирован. Возможно, над ним выполняется другая операция.")                 \
        E(TRAFFIC, 423, "DiskUploadTrafficLimitExceeded", "Upload traffic limit exceeded.",      \
          "Исчерпан лимит загрузки файлов.")                                                     \
        E(READONLY, 423, "DiskReadOnlyError", "Disk is in read-only mode.",                      \
          "Технические работы. Сейчас можно только просматривать и скачивать файлы.")            \
        E(TOO_MANY, 429, "TooManyRequestsError", "Too Many Requests",                            \
          "Слишком много запросов.")                                                             \
        E(INTERNAL, 500, "InternalServerError", "Internal Server Error",                         \
          "Внутренняя ошибка сервера.")                                                          \
        E(NOT_DONE, 501, "NotImplementedError", "Not Implemented", "Метод не реализован.")       \
        E(UNAVAILABLE, 503, "DiskServiceUnavailableError", "Service Unavailable",                \
          "Сервис временно недоступен.")                                                         \
        E(QUOTA, 507, "DiskStorageQuotaExhaustedError", "Insufficient Storage",                  \
          "Недостаточно свободного места.")

enum svc_error {
        SVC_OK,
#define E(code, status, name, description, message) SVC_##code,
        SVC_ERRORS(E)
#undef E
};

struct svc_error_info {
        int status;                     /* HTTP status */
        const char *name;               /* the stable machine name */
        const char *description;        /* English, at most one %s */
        const char *message;            /* Russian, at most one %s */
};

/* `e` must not be SVC_OK. */
const struct svc_error_info *svc_error_info(enum svc_error e);

/* The code with this machine name, SVC_OK when there is none. */
enum svc_error svc_error_find(const char *name);
