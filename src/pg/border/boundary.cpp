#include "pg/border/boundary.hpp"

namespace nurture::border {

int sqlstate_of(ErrorKind kind) noexcept {
    switch (kind) {
    case ErrorKind::invalid_parameter:
        return ERRCODE_INVALID_PARAMETER_VALUE;
    case ErrorKind::out_of_range:
        return ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE;
    case ErrorKind::syntax:
        return ERRCODE_SYNTAX_ERROR;
    case ErrorKind::undefined_name:
        return ERRCODE_UNDEFINED_OBJECT;
    case ErrorKind::dependency:
        return ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST;
    case ErrorKind::invalid_definition:
        return ERRCODE_INVALID_OBJECT_DEFINITION;
    case ErrorKind::limit_exceeded:
        return ERRCODE_PROGRAM_LIMIT_EXCEEDED;
    case ErrorKind::corrupt_data:
        return ERRCODE_DATA_CORRUPTED;
    case ErrorKind::newer_format:
        return ERRCODE_FEATURE_NOT_SUPPORTED;
    case ErrorKind::interrupted:
        return ERRCODE_QUERY_CANCELED;
    }
    return ERRCODE_INTERNAL_ERROR;
}

void fill(Failure& failure, int sqlstate, const char* message) noexcept {
    failure.sqlstate = sqlstate;
    failure.interrupted = false;
    failure.cursor = 0;
    failure.edata = nullptr;
    failure.detail[0] = failure.hint[0] = '\0';
    strlcpy(failure.message, message, sizeof failure.message);
}

void fill(Failure& failure, const Error& error) noexcept {
    fill(failure, sqlstate_of(error.kind), error.what());
    failure.interrupted = error.kind == ErrorKind::interrupted;
    strlcpy(failure.detail, error.detail.c_str(), sizeof failure.detail);
    strlcpy(failure.hint, error.hint.c_str(), sizeof failure.hint);
}

void report(const Failure& failure) {
    if (failure.edata != nullptr)
        ReThrowError(failure.edata);
    if (failure.interrupted)
        CHECK_FOR_INTERRUPTS(); // usually does not return
    ereport(ERROR, (errcode(failure.sqlstate), errmsg("%s", failure.message),
                    failure.detail[0] ? errdetail("%s", failure.detail) : 0,
                    failure.hint[0] ? errhint("%s", failure.hint) : 0));
    pg_unreachable();
}

} // namespace nurture::border
